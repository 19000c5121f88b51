"""Stand-ins for Render's Java client programs: the same names, options, files and exit statuses.

``run_ws_client.sh`` in this folder is what ``renderapi`` and scripts start; it leads to ``python -m
rendermodules.render_ws.clients``. Each client is a file of its own that ends with its ``CLIENT``; ``registry`` has
their Java names. They know a service by its routes only, so that they work with Java Render as well.
"""

from pathlib import Path

SCRIPTS_FOLDER = Path(__file__).parent
"""Where ``run_ws_client.sh`` is."""

PYTHON_VARIABLE = "RENDERMODULES_PYTHON"
"""Environment variable with the Python that ``run_ws_client.sh`` runs."""
