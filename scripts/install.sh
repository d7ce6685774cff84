#!/usr/bin/env bash
# Installs exactly what a lock names, every file checked against its hash, and this checkout in place.
# install.sh PYTHON LOCK
set -euo pipefail
python=$1 lock=$2
quiet=(--quiet --disable-pip-version-check --no-input)

echo "install: $lock ($(grep -c '^[a-z0-9].*==' "$lock") packages)"
# The lock is the whole list, so nothing is resolved again; bytecode is made on first use, which starts sooner.
"$python" -m pip install "${quiet[@]}" --no-deps --no-compile --require-hashes --requirement "$lock"
"$python" -m pip install "${quiet[@]}" --no-deps --no-build-isolation --editable .
