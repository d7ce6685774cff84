#!/usr/bin/env bash
# Brings Keycloak (Maven Central, one pinned archive) into a folder; where Java, Maven or the archive cannot be had, the
# tests with a real identity provider are skipped.  keycloak.sh FOLDER
set -euo pipefail
folder=$1
version=26.4.0
scripts=$(dirname "$0")

if ! "$scripts/java.sh"; then
    echo "tests with a real Keycloak are skipped" >&2
    exit 0
fi
if [ "$(cat "$folder/version" 2>/dev/null)" = "$version" ]; then
    exit 0
fi
mkdir -p "$(dirname "$folder")"
fresh=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
echo "install: Keycloak $version (160 MB)"
if ! mvn --batch-mode --quiet dependency:copy -Dartifact="org.keycloak:keycloak-quarkus-dist:$version:zip" \
    -DoutputDirectory="$(realpath "$fresh")" >"$fresh/maven.log" 2>&1; then
    tail -n 5 "$fresh/maven.log" >&2
    echo "Keycloak could not be brought with Maven: tests with a real one are skipped" >&2
    exit 0
fi
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])' "$fresh"/*.zip "$fresh"
rm "$fresh"/*.zip
chmod +x "$fresh/keycloak-$version"/bin/*.sh
mv "$fresh/keycloak-$version" "$fresh/keycloak"
echo "$version" >"$fresh/version"
rm -rf "$folder"
mv "$fresh" "$folder"
