"""The ``rendermodules`` command: one file for each sub-command, which imports what it needs when it is run."""
