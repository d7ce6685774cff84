#!/usr/bin/env bash
# Sees to redis-server for the tests where that is possible; else they are skipped.
set -euo pipefail

if command -v redis-server >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "install: redis-server"
    export DEBIAN_FRONTEND=noninteractive
    if apt-get -qq update && apt-get -qq install -y --no-install-recommends redis-server >/dev/null &&
        command -v redis-server >/dev/null; then
        exit 0
    fi
fi
echo "redis-server is missing and cannot be installed here: tests on a real Redis are skipped" >&2
