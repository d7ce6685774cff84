#!/usr/bin/env bash
# Writes both locks from pyproject.toml: universal (every platform, Python >= 3.11), every file with its hash.
# lock.sh PYTHON
set -euo pipefail
python=$1
tool=.cache/lock
compile=("$tool/bin/uv" pip compile pyproject.toml --quiet --universal --python-version 3.11
    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade)

[ -x "$tool/bin/uv" ] || { "$python" -m venv "$tool" && "$tool/bin/python" -m pip install --quiet uv==0.13.9; }
"${compile[@]}" --extra build --output-file requirements.lock
"${compile[@]}" --extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock
grep -c '==' requirements.lock requirements-dev.lock
