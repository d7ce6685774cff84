#!/usr/bin/env bash
# Makes the virtual environment, or says which Python is missing.  create_environment.sh PYTHON FOLDER
set -euo pipefail
python=$1 folder=$2

if ! command -v "$python" >/dev/null; then
    echo "$python was not found: install Python 3.11 or newer, or name one with: make PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$python" --version) is too old, 3.11 or newer is needed: name one with: make PYTHON=python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python cannot make virtual environments: install its venv package (Debian: apt-get install python3-venv)" >&2
    exit 1
fi
echo "environment: $("$python" --version) in $folder"
"$python" -m venv --clear "$folder"
