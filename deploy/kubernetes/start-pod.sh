#!/usr/bin/env bash
# What a pod of the StatefulSet runs: a node whose id and name come from the pod's ordinal.
#
# A directory that has been used knows its cluster. With a new one, a node joins the others by their DNS names; only the first
# pod founds a cluster, and only when no other pod knows one: should it have lost its volume, it joins like any other.
set -euo pipefail

: "${POD_NAME:?}" "${POD_NAMESPACE:?}" "${SERVICE:?the headless service}" "${CONTACTS:?how many pods to ask, from the first on}"
data=${MILENA_DATA:-/var/lib/milena}
milena=${MILENA_BIN:-milena}
ordinal=${POD_NAME##*-}

host() { echo "${POD_NAME%-*}-$1.$SERVICE.$POD_NAMESPACE.svc"; }

others() {  # the addresses of the other contacts
  local i
  for ((i = 0; i < CONTACTS; i++)); do
    if ((i != ordinal)); then echo "$(host "$i"):9092"; fi
  done
}

knows_cluster() { "$milena" status --bootstrap "$1" --timeout 5 > /dev/null 2>&1; }

join=()
if [[ ! -e $data/partitions/meta.properties ]]; then
  mapfile -t contacts < <(others)
  if ((ordinal > 0)); then
    join=(--join "$(IFS=,; echo "${contacts[*]}")")
  else
    for contact in ${contacts[@]+"${contacts[@]}"}; do
      if knows_cluster "$contact"; then join=(--join "$contact"); break; fi
    done
  fi
fi

exec "$milena" start --data "$data" --kafka 0.0.0.0:9092 --http 0.0.0.0:8080 --config /etc/milena/milena.conf \
  -o "node.id=$((ordinal + 1))" -o "advertised.listeners=PLAINTEXT://$(host "$ordinal"):9092" ${join[@]+"${join[@]}"} "$@"
