#!/usr/bin/env bash
# Sees to Chromium and a Chinese font for the browser tests where that is possible; else they are skipped.
set -euo pipefail

has_font() { fc-list :lang=zh 2>/dev/null | grep -q .; }
if command -v chromium >/dev/null && has_font; then
    exit 0
fi
if "$(dirname "$0")/debian.sh" chromium fonts-noto-cjk fontconfig; then
    exit 0
fi
echo "chromium or a Chinese font is missing and cannot be installed here: browser tests are skipped" >&2
