"""``python -m rendermodules`` is the ``rendermodules`` command."""

from rendermodules.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
