# Sourced by bin/milena for 'start --nodes N': several nodes on this machine, DIR/node-1 to DIR/node-N, on consecutive ports.
# What makes a node one of them is in its DIR/node-N/milena.conf, so that 'start --data DIR/node-N' starts that one again.

start_cluster() {  # uses the variables of start()
  local n dir missing=() begun begun_ms pids=() log_starts=()
  begun_ms=$(now_ms)
  [[ ! -d $data/metadata ]] || fail "$EX_USAGE" "$data is the directory of one node: name another with --data, for a cluster"
  data=$(data_directory "$data") || exit $?
  for dir in "$data"/node-*/; do
    n=${dir%/}
    n=${n##*/node-}
    if [[ $n =~ ^[0-9]+$ ]] && ((n > nodes)); then fail "$EX_USAGE" "$data holds a node $n: start all of them with --nodes $n, or one with --data $data/node-$n"; fi
  done
  for ((n = 1; n <= nodes; n++)); do
    dir=$(data_directory "$data/node-$n") || exit $?
    [[ -e $dir/milena.conf ]] || write_node_conf "$n" "$dir"
    [[ -n $(running_pid "$dir") ]] || missing+=("$n")
  done
  ((${#missing[@]} > 0)) || fail "$EX_CONFLICT" "all $nodes nodes run on $data already: 'bin/milena cluster' shows them, 'bin/milena stop --data $data' stops them"
  make_caches

  begun=$SECONDS
  trap 'trap "" INT TERM HUP; exit 130' INT TERM HUP
  trap 'stop_nodes "${missing[@]}"' EXIT  # a node that cannot start ends those started with it
  for n in "${missing[@]}"; do
    local own=()
    [[ -z $kafka ]] || own+=(--kafka "$(nth_address "$kafka" "$n")")
    [[ -z $http ]] || own+=(--http "$(nth_address "$http" "$n")")
    spawn_node "$data/node-$n" ${own[@]+"${own[@]}"} ${pass[@]+"${pass[@]}"}
    pids[n]=$spawned_pid
    log_starts[n]=$spawned_log_start
  done
  for n in "${missing[@]}"; do
    await_node "$data/node-$n" "${pids[n]}" "${log_starts[n]}" "$ready_timeout" "$begun"
  done
  cluster_banner
  if [[ $daemon == true ]]; then
    trap - INT TERM HUP EXIT
    disown -a
    return
  fi
  trap 'trap "" INT TERM HUP; trap - EXIT; stop_nodes $(seq "$nodes"); exit 0' INT TERM HUP
  watch_nodes
  trap - EXIT
}

nth_address() { echo "${1%:*}:$((${1##*:} == 0 ? 0 : ${1##*:} + $2 - 1))"; }  # nth_address HOST:PORT N: N-1 ports further

write_node_conf() {  # write_node_conf N DIR
  local replicas=$((nodes < 3 ? nodes : 3)) first=${kafka:-127.0.0.1:9092}
  {
    echo "# Written by 'bin/milena start --nodes $nodes'; yours to edit. It wins over config/milena.conf, the command line over it."
    echo "node.id = $1"
    echo "listeners = \"PLAINTEXT://$(nth_address "$first" "$1")\""
    echo "default.replication.factor = $replicas"
    echo "min.insync.replicas = $((replicas < 3 ? 1 : 2))"
    [[ -z $http ]] || echo "milena.http = \"$(nth_address "$http" "$1")\""
    (($1 == 1)) || echo "milena.cluster.join = \"$first\""
  } > "$2/milena.conf"
}

cluster_banner() {
  local n dir http elapsed=''
  [[ -z $begun_ms ]] || elapsed=" after $(($(now_ms) - begun_ms)) ms"
  echo "Milena cluster of $nodes nodes is ready$elapsed"
  for ((n = 1; n <= nodes; n++)); do
    dir=$data/node-$n
    http=$(ready_value "$dir" http)
    echo "  node $(ready_value "$dir" node.id)  Kafka $(ready_value "$dir" kafka)${http:+  HTTP $http}  pid $(ready_value "$dir" pid)"
  done
  echo "  data $data/node-N, logs $data/node-N/logs/milena.log"
  if [[ $daemon == true ]]; then echo "Try next:"; else echo "Try, in another terminal:"; fi
  sed -n '/^Try/,/^Stop it with/p' "$data/node-1/logs/milena.log" | grep '^  ' | tail -n 3 | sed -n '1{h;s/topics create hello --partitions 3/cluster/p;g;};p'
  echo "  kill -9 \$(cat $data/node-$nodes/milena.pid); bin/milena start --daemon --data $data/node-$nodes"
  if [[ $daemon == true ]]; then echo "Stop it with: bin/milena stop --data $data"; else echo "Stop it with: Ctrl-C"; fi
}

watch_nodes() {  # until none of the nodes started here is left; they may be stopped, killed and started again meanwhile
  local n status left=("${missing[@]}") still
  while ((${#left[@]} > 0)); do
    still=()
    for n in "${left[@]}"; do
      if kill -0 "${pids[n]}" 2> /dev/null; then
        still+=("$n")
        continue
      fi
      status=0
      { wait "${pids[n]}"; } 2> /dev/null || status=$?
      echo "milena: node $n has ended$(((status == 0 || status == 143)) || echo " (exit code $status)"): 'bin/milena start --daemon --data $data/node-$n' starts it again" >&2
    done
    left=(${still[@]+"${still[@]}"})
    sleep 0.5 &
    wait $! || true  # a signal ends the wait at once
  done
}

stop_nodes() {  # stop_nodes N...: all at once; each is waited for
  local n pid begun=$SECONDS left
  for n in "$@"; do
    pid=$(running_pid "$data/node-$n")
    [[ -z $pid ]] || kill -TERM "$pid" 2> /dev/null || true
  done
  while true; do
    left=''
    for n in "$@"; do left+=$(running_pid "$data/node-$n"); done
    [[ -n $left ]] || break
    ((SECONDS - begun < 1)) || progress "milena: stopping" $((SECONDS - begun))
    if ((SECONDS - begun >= 60)); then
      progress_end
      fail "$EX_UNREACHABLE" "some nodes are still stopping: 'bin/milena stop --data $data --force' ends them"
    fi
    sleep 0.1
  done
  progress_end
  for n in "$@"; do rm -f -- "$data/node-$n/milena.pid" "$data/node-$n/milena.ready"; done
}
