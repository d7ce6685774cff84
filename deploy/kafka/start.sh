#!/usr/bin/env bash
# An empty folder is formatted with the users of the secrets; then this becomes the broker. A folder that is formatted
# stays as it is: later passwords are changed in the broker (docs/operations.md).
set -euo pipefail

worker=$(cat /run/secrets/kafka_worker_password)
operator=$(cat /run/secrets/kafka_operator_password)
cluster=$(cat /run/secrets/kafka_cluster_id)
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --config /etc/scorestream/server.properties \
    --cluster-id "$cluster" \
    --add-scram "SCRAM-SHA-512=[name=worker,password=$worker]" \
    --add-scram "SCRAM-SHA-512=[name=operator,password=$operator]"
exec /opt/kafka/bin/kafka-server-start.sh /etc/scorestream/server.properties
