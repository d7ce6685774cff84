#!/usr/bin/env bash
# Sees to redis-server for the tests where that is possible; else they are skipped.
set -euo pipefail

if command -v redis-server >/dev/null || "$(dirname "$0")/debian.sh" redis-server; then
    exit 0
fi
echo "redis-server is missing and cannot be installed here: tests on a real Redis are skipped" >&2
