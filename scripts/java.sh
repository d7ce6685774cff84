#!/usr/bin/env bash
# Sees to Java 17 (or newer) with its compiler and to Maven; fails, saying what is missing, where it cannot.
set -euo pipefail

java_version() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1; }
is_there() {
    command -v java >/dev/null && command -v javac >/dev/null && command -v mvn >/dev/null &&
        [ "$(java_version)" -ge 17 ]
}
if is_there || { "$(dirname "$0")/debian.sh" default-jdk-headless maven && is_there; }; then
    exit 0
fi
echo "Java 17 or newer with its compiler, or Maven, is missing and cannot be installed here" >&2
exit 1
