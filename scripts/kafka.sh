#!/usr/bin/env bash
# Brings Apache Kafka's jars (Maven Central, pinned in scripts/kafka/pom.xml) into a folder; where Java, Maven or the
# jars cannot be had, the tests on a real broker are skipped.  kafka.sh FOLDER
set -euo pipefail
folder=$1
scripts=$(dirname "$0")
pom=$scripts/kafka/pom.xml

command -v openssl >/dev/null || "$scripts/debian.sh" openssl || echo "no openssl: tests of TLS are skipped" >&2
if ! "$scripts/java.sh"; then
    echo "tests on a real Kafka are skipped" >&2
    exit 0
fi
if [ -d "$folder" ] && cmp -s "$pom" "$folder/pom.xml"; then
    exit 0
fi
mkdir -p "$(dirname "$folder")"
fresh=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
echo "install: Apache Kafka $(sed -n 's:.*<kafka>\(.*\)</kafka>.*:\1:p' "$pom")"
if ! mvn --batch-mode --quiet --file "$pom" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$(realpath "$fresh")" >"$fresh/maven.log" 2>&1; then
    tail -n 5 "$fresh/maven.log" >&2
    echo "Apache Kafka could not be brought with Maven: tests on a real Kafka are skipped" >&2
    exit 0
fi
cp "$pom" "$fresh/pom.xml"
rm -rf "$folder"
mv "$fresh" "$folder"
