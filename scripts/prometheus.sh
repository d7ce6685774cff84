#!/usr/bin/env bash
# Sees to Prometheus and Alertmanager for the tests where that is possible; else they are skipped.
set -euo pipefail

has_both() { command -v prometheus >/dev/null && command -v prometheus-alertmanager >/dev/null; }
if has_both || "$(dirname "$0")/debian.sh" prometheus prometheus-alertmanager; then
    exit 0
fi
echo "prometheus or prometheus-alertmanager is missing and cannot be installed here: tests on them are skipped" >&2
