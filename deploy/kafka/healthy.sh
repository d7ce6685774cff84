#!/usr/bin/env bash
# Whether the broker answers: a request for the versions that it speaks (ApiVersions, version 0) gets a reply without an
# error. It costs nothing, where Kafka's own tools start a Java of their own each time.
set -euo pipefail

exec 3<>/dev/tcp/127.0.0.1/9094
# length 10, request 18, version 0, correlation 7, no client id
printf '\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff' >&3
# length, then the correlation, then the error: 0
reply=$(head -c 10 <&3 | od -An -v -tx1 | tr -d ' \n')
[[ $reply == ????????000000070000 ]]
