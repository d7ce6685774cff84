#!/usr/bin/env bash
# Makes what an installation needs and no repository may hold: passwords, certificates, the cluster's id, the addresses
# that alerts go to. Passwords and certificates that are there stay; remove one to have it made anew, and start again
# what uses it. Addresses are written anew each time: say all of them each time.  prepare.sh [OPTIONS] WEBHOOK_URL [FOLDER]
set -euo pipefail
umask 077
here=$(cd "$(dirname "$0")" && pwd)
days=825

usage() {
    cat >&2 <<END
$1
usage: $0 [OPTIONS] WEBHOOK_URL [FOLDER]    (where Alertmanager sends alerts of the service: http://... or https://...)
  --scores URL               where alerts about scores go; without it to WEBHOOK_URL
  --boards URL               where people find the boards; without it http://localhost:8080
  --mail-to ADDRESS          who gets alerts about scores by mail, too; without it nobody
  --escalate-to ADDRESS      who gets mail of those that nobody has acknowledged in time; without it --mail-to
  --mail-from ADDRESS        and --mail-host HOST:PORT: who sends that mail, and through which server
  --mail-user NAME           and --mail-password-file FILE, where the server wants to know
  --mail-plain               the server has no TLS
  --units FILE               lines of ADDRESS UNIT: a unit's alerts by mail to that address, not to --mail-to
END
    exit 2
}
url() { [[ $2 =~ ^https?://[^[:space:]\"\\]+$ ]] || usage "$1: ${2:-nothing} is no address: http://... or https://..."; }
mail() { [[ $2 =~ ^[^[:space:]\"\\@]+@[^[:space:]\"\\@]+$ ]] || usage "$1: ${2:-nothing} is no mail address"; }

scores='' boards=http://localhost:8080 to='' escalate='' from='' host='' user='' password_file='' tls=true units=''
while [[ ${1:-} == --* ]]; do
    case $1 in
        --mail-plain) tls=false; shift; continue ;;
        --scores) scores=${2:-} ;;
        --boards) boards=${2:-} ;;
        --mail-to) to=${2:-} ;;
        --escalate-to) escalate=${2:-} ;;
        --mail-from) from=${2:-} ;;
        --mail-host) host=${2:-} ;;
        --mail-user) user=${2:-} ;;
        --mail-password-file) password_file=${2:-} ;;
        --units) units=${2:-} ;;
        *) usage "$1: no such option" ;;
    esac
    shift $(($# > 1 ? 2 : 1))
done
webhook=${1:-} folder=${2:-$here/secrets}
scores=${scores:-$webhook}
url WEBHOOK_URL "$webhook"
url --scores "$scores"
url --boards "$boards"
if [ -n "$to$escalate$from$host$user$password_file$units" ]; then
    mail --mail-to "$to"
    mail --escalate-to "${escalate:-$to}"
    mail --mail-from "$from"
    [[ $host =~ ^[A-Za-z0-9.-]+:[0-9]+$ ]] || usage "--mail-host: ${host:-nothing} is not HOST:PORT"
    [[ -z $user || ( $user != *[\"\\]* && -r $password_file ) ]] || usage "--mail-user: --mail-password-file must be there"
    [[ -z $units || -r $units ]] || usage "--units: $units cannot be read"
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
quoted() { local text=${1//\\/\\\\}; printf %s "${text//\"/\\\"}"; } # inside of double quotes
alertmanager() { # the template, with addresses in it
    local edit='/#mail$/d;/#login$/d' text routes='' receivers='' address unit
    [ -z "$to" ] || edit='s/ *#mail$//;/#login$/d'
    [ -z "$user" ] || edit='s/ *#mail$//;s/ *#login$//'
    text=$(sed "$edit" "$here/alertmanager/alertmanager.yml")
    while read -r address unit || [ -n "$address" ]; do
        [ -n "$address" ] || continue
        mail "$units" "$address"
        [[ -n $unit && $unit != *[\'\"\\[:cntrl:]]* ]] || usage "$units: ${unit:-nothing} is no unit, or has quotes in it"
        routes+="        - matchers: ['unit = \"$unit\"']"$'\n'"          receiver: \"unit $unit\""$'\n'
        receivers+=$'\n'"  - name: \"unit $unit\""$'\n'"    webhook_configs: *scores"$'\n'
        receivers+="    email_configs: [{to: \"$address\", <<: *mail}]"
    done < <([ -z "$units" ] || cat "$units")
    text=${text/"          #units"$'\n'/"$routes"}
    text=${text//@WEBHOOK@/"$webhook"} text=${text//@SCORES@/"$scores"} text=${text//@BOARDS@/"${boards%/}"}
    text=${text//@MAIL_HOST@/"$host"} text=${text//@MAIL_FROM@/"$from"} text=${text//@MAIL_TO@/"$to"}
    text=${text//@ESCALATE_TO@/"${escalate:-$to}"}
    text=${text//@MAIL_TLS@/"$tls"} text=${text//@MAIL_USER@/"$user"}
    [ -z "$user" ] || text=${text//@MAIL_PASSWORD@/"$(quoted "$(<"$password_file")")"}
    printf '%s%s\n' "$text" "$receivers"
}
addressed=$(alertmanager) # whole, or not at all
rm -f "$folder/alertmanager.yml"
printf '%s\n' "$addressed" | keep alertmanager.yml
echo "ready: $folder"
