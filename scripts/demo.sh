#!/usr/bin/env bash
# The product in one go: a cluster, two services, a dead node, a service that
# lives on. Prints every command before it runs it. Fails if any of it fails.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/bin:$PATH
cluster=demo
port=6379

say() { printf '\n# %s\n' "$*"; }
run() {
    printf '$ %s\n' "$*"
    "$@"
}
die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

# The answer to PING of the Redis at an address; empty if there is none.
ping_redis() {
    timeout 0.3 bash -c "exec 3<>/dev/tcp/$1/$port && printf 'PING\r\n' >&3 && head -n 1 <&3" 2>/dev/null | tr -d '\r' || true
}

status_field() { # SERVICE-FIELD of the service redis, from JSON
    sirikata-cluster status "$cluster" -o json |
        awk -v field="\"$1\":" '$1 == "\"id\":" { redis = ($2 == "\"redis\",") } redis && $1 == field { gsub(/[",]/, "", $2); print $2; exit }'
}

addresses_without() { # addresses of all nodes but one
    sirikata-cluster members info "$cluster" -o json |
        awk -v dead="\"$1\"," '$1 == "\"name\":" { skip = ($2 == dead) } $1 == "\"address\":" && !skip { gsub(/[",]/, "", $2); print $2 }'
}

wait_for_redis() { # until one of the addresses answers PONG; prints it
    local deadline=$((SECONDS + 30)) address
    while [ "$SECONDS" -lt "$deadline" ]; do
        for address in "$@"; do
            if [ "$(ping_redis "$address")" = +PONG ]; then
                echo "$address"
                return
            fi
        done
    done
    return 1
}

clean_up_earlier() {
    sirikata-cluster status "$cluster" >/dev/null 2>&1 ||
        sirikata-cluster members info "$cluster" >/dev/null 2>&1 || return 0
    say "A cluster $cluster is there, perhaps of a demo that was stopped: taking it down"
    # It may be yours: on a terminal this asks, unless YES=1.
    run sirikata-cluster nodes terminate "$cluster" ${YES:+--yes}
    run sirikata-cluster destroy "$cluster" ${YES:+--yes}
}

clean_up_earlier

say "The image that nodes are made from: Debian with systemd, sshd, Corosync, Pacemaker, Puppet"
run sirikata-cluster local image build

say "A cluster of three nodes. Each is a container that is reached over SSH, like any machine"
run sirikata-cluster local create "$cluster" 3
run sirikata-cluster local nodes boot "$cluster"

say "A real daemon, on any node"
run sirikata-cluster add service "$cluster" redis any -- \
    /usr/bin/redis-server --daemonize yes --pidfile PIDFILE --port "$port" --bind 0.0.0.0 --protected-mode no

say "A program that stays in the foreground"
run sirikata-cluster add service "$cluster" mqtt any --force-daemonize -- /usr/sbin/mosquitto -p 1883

run sirikata-cluster status "$cluster"

victim=$(status_field node)
[ -n "$victim" ] || die "status does not say where redis runs"
mapfile -t others < <(addresses_without "$victim")

say "Redis runs on $victim. Cut its power"
run sirikata-cluster local nodes kill "$cluster" "$victim"
begin=$(date +%s%N)
address=$(wait_for_redis "${others[@]}") || die "redis did not come back within 30 s"
took=$((($(date +%s%N) - begin) / 1000000))
printf 'redis answers PING at %s, %d.%03d s after the node died\n' "$address" $((took / 1000)) $((took % 1000))

run sirikata-cluster status "$cluster"

say "Bring $victim back: boot completes a cluster"
run sirikata-cluster local nodes boot "$cluster"

say "Take everything down"
run sirikata-cluster remove all services "$cluster" --yes
run sirikata-cluster local nodes terminate "$cluster" --yes
run sirikata-cluster local destroy "$cluster" --yes
say "Done"
