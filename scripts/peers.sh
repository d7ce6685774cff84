#!/usr/bin/env bash
# Brings what ScoreStream is measured against, from package registries alone: Python peers in an environment each,
# Kafka Streams and Flink's Kafka connector with Maven. What cannot be had is said, and left out of the table.
# peers.sh PYTHON FOLDER
set -euo pipefail
python=$1 folder=$2
peers=$(dirname "$0")/../tests/bench/peers
mkdir -p "$folder"

for pins in "$peers"/requirements/*.txt; do
    name=$(basename "$pins" .txt)
    place=$folder/$name
    cmp -s "$pins" "$place/pins.txt" && continue
    echo "install: $name ($(grep -c '==' "$pins") packages)"
    rm -rf "$place"
    if "$python" -m venv "$place" &&
        "$place/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
            --requirement "$pins"; then
        cp "$pins" "$place/pins.txt"
    else
        rm -rf "$place"
        echo "$name cannot be installed here (its pins are for Python 3.11): it is left out" >&2
    fi
done

if ! "$(dirname "$0")/java.sh"; then
    echo "Kafka Streams and Flink are left out" >&2
    exit 0
fi
for pom in "$peers"/kafka_streams/pom.xml "$peers"/flink_connector/pom.xml; do
    name=$(basename "$(dirname "$pom")")
    place=$folder/$name
    cmp -s <(cat "$pom" $(find "$(dirname "$pom")" -name '*.java')) "$place/built-from" && continue
    echo "build: $name"
    rm -rf "$place"
    mkdir -p "$place"
    if mvn --batch-mode --quiet --file "$pom" -Dbuilt="$(realpath "$place")" \
        compile dependency:copy-dependencies -DincludeScope=runtime; then
        cat "$pom" $(find "$(dirname "$pom")" -name '*.java') >"$place/built-from"
    else
        echo "$name cannot be built here: it is left out" >&2
    fi
done
