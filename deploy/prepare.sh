#!/usr/bin/env bash
# Makes what an installation needs and no repository may hold: passwords, certificates, the cluster's id, the address
# that alerts go to. Passwords and certificates that are there stay; remove one to have it made anew, and start again
# what uses it.  prepare.sh WEBHOOK_URL [FOLDER]
set -euo pipefail
umask 077
here=$(cd "$(dirname "$0")" && pwd)
webhook=${1:-} folder=${2:-$here/secrets}
days=825

if [[ ! $webhook =~ ^https?://[^[:space:]\"\\]+$ ]]; then
    echo "usage: $0 WEBHOOK_URL [FOLDER]    (where Alertmanager sends alerts: http://... or https://...)" >&2
    exit 2
fi
command -v openssl >/dev/null || { echo "openssl is missing; install it" >&2; exit 1; }
mkdir -p "$folder"
# Only the owner enters the folder; containers, which see single files by a mount, run as users of their own and must
# be able to read them.
chmod 700 "$folder"

keep() { # keep FILE: standard input, unless the file is there
    if [ -s "$folder/$1" ]; then cat >/dev/null; return; fi
    cat >"$folder/$1.new"
    chmod 444 "$folder/$1.new"
    mv "$folder/$1.new" "$folder/$1"
    echo "made: $1"
}
password() { openssl rand -hex 24; }
digest() { printf %s "$(cat "$folder/$1")" | openssl dgst -sha256 -r | cut -d' ' -f1; }
key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

if [ ! -s "$folder/authority.key" ] || [ ! -s "$folder/authority.pem" ]; then
    rm -f "$folder/authority.pem" "$folder/kafka.pem" "$folder/redis.pem"
    openssl req -x509 "${key[@]}" -days 3650 -subj "/CN=ScoreStream authority" -keyout "$folder/authority.key" \
        -addext keyUsage=critical,keyCertSign,cRLSign -out - 2>/dev/null | keep authority.pem
fi
certificate() { # certificate NAME: a key and what the authority says of it, for the service of that name
    [ -s "$folder/$1.pem" ] && return
    openssl req -x509 "${key[@]}" -days "$days" -subj "/CN=$1" -keyout "$folder/$1.key" -out "$folder/$1.crt" \
        -CA "$folder/authority.pem" -CAkey "$folder/authority.key" \
        -addext "subjectAltName=DNS:$1,DNS:localhost,IP:127.0.0.1" -addext basicConstraints=critical,CA:FALSE 2>/dev/null
    cat "$folder/$1.key" "$folder/$1.crt" | keep "$1.pem"
    rm -f "$folder/$1.key" "$folder/$1.crt"
}
certificate kafka
certificate redis

for name in kafka-worker kafka-operator redis-worker redis-web grafana-admin; do
    password | keep "$name-password"
done
openssl rand -base64 16 | tr '+/' '-_' | tr -d '=\n' | sed 's/^-/A/' | keep kafka-cluster-id
# Nobody is anybody by default; workers write the views, web processes read them.
rm -f "$folder/redis-users"
{
    echo "user default off"
    echo "user worker on #$(digest redis-worker-password) ~scorestream:* &scorestream:*" \
        "-@all +@read +@write +@transaction +@connection +publish +scan -@dangerous +info"
    echo "user web on #$(digest redis-web-password) ~scorestream:* &scorestream:*" \
        "-@all +@read +@connection +subscribe +unsubscribe -@dangerous"
} | keep redis-users
rm -f "$folder/alertmanager.yml"
sed "s|@WEBHOOK@|${webhook//&/\\&}|" "$here/alertmanager/alertmanager.yml" | keep alertmanager.yml
echo "ready: $folder"
