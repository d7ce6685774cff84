#!/usr/bin/env bash
# Sees to PostgreSQL's server for the tests where that is possible; else those on a real PostgreSQL are skipped.
set -euo pipefail

if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || "$(dirname "$0")/debian.sh" postgresql; then
    exit 0
fi
echo "PostgreSQL is missing and cannot be installed here: tests on a real PostgreSQL are skipped" >&2
