#!/usr/bin/env bash
# run_ws_client.sh HEAP CLASS [options]: run a stand-in for one of Render's Java clients.
#
# Python is that of RENDERMODULES_PYTHON, else that of the environment which this file is installed in, else python3.
set -euo pipefail

here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
packages="$(dirname "$(dirname "$(dirname "$here")")")"
installed="$(dirname "$(dirname "$(dirname "$packages")")")/bin/python3"

if [[ -n "${RENDERMODULES_PYTHON:-}" ]]; then
    python="$RENDERMODULES_PYTHON"
elif [[ "$packages" == *-packages && -x "$installed" ]]; then
    python="$installed"
else
    python=python3
fi

# the package beside this file, wherever it is started from and whatever else is called so there
export PYTHONPATH="$packages${PYTHONPATH:+:$PYTHONPATH}"
exec "$python" -P -m rendermodules.render_ws.clients "$@"
