package main

import (
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// start measures the program itself, without any node.
func (b *bench) start() error {
	took, err := repeat(3*b.runs, func(int) (time.Duration, error) { return timed("--help") })
	b.report(row{what: "`--help`", ours: took, limit: 50 * time.Millisecond})
	return err
}

// boot measures 3 nodes from an existing image to quorate and configured. It
// leaves the last cluster for the others.
func (b *bench) boot() error {
	var parts sample
	took, err := repeat(b.runs, func(int) (time.Duration, error) {
		takeDown()
		if _, err := program("local", "create", name, "3"); err != nil {
			return 0, err
		}
		boot, err := watched("local", "nodes", "boot", name)
		if err != nil {
			return 0, err
		}
		parts = append(parts, boot.since("starting Corosync"))
		return boot.whole(), nil
	})
	if err != nil {
		return err
	}
	b.report(row{what: "boot 3 nodes, image there", ours: took, limit: 20 * time.Second})
	b.report(row{what: "of it, Corosync and Pacemaker", ours: parts, limit: 8 * time.Second})
	return nil
}

// redisPort is where the Redis of the measurements listens.
const redisPort = "6379"

// redis adds the service that is killed, with flags of `add service`.
func (b *bench) redis(flags ...string) error {
	args := append([]string{"add", "service", name, "redis", cluster.Any}, flags...)
	_, err := program(append(args, "--", "/usr/bin/redis-server", "--daemonize", "yes",
		"--pidfile", "PIDFILE", "--port", redisPort, "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "")...)
	return err
}

// monitor measures one check of the agent on a node, 20 in a row.
func (b *bench) monitor() error {
	const script = `export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=service-redis OCF_RESKEY_CRM_meta_interval=0 \
	OCF_RESKEY_command='["/bin/true"]' OCF_RESKEY_env='{}' OCF_RESKEY_cwd='""' OCF_RESKEY_monitor=10 \
	OCF_RESKEY_force_daemonize=false OCF_RESKEY_failover=true OCF_RESKEY_target=any
begin=$(date +%s%N)
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	/usr/lib/ocf/resource.d/sirikata/service monitor
done
echo $((($(date +%s%N) - begin) / 20))`
	took, err := repeat(b.runs, func(int) (time.Duration, error) {
		node, err := nodeOfRedis()
		if err != nil {
			return 0, err
		}
		return measuredOnNode(node, script)
	})
	b.report(row{what: "one check by `sirikata-node`", ours: took, limit: 20 * time.Millisecond})
	return err
}

// death measures a daemon that has run for a while, killed with SIGKILL, until
// it answers again. The clock runs on the node.
func (b *bench) death() error {
	// In the first second nobody watches it: see docs/adr/0006.
	const script = `sleep 2
pid=$(cat /run/sirikata/redis/redis.pid)
begin=$(date +%s%N)
kill -9 "$pid"
until new=$(cat /run/sirikata/redis/redis.pid 2>/dev/null) && [ -n "$new" ] && [ "$new" != "$pid" ] &&
	[ "$(redis-cli ping 2>/dev/null)" = PONG ]; do :; done
echo $(($(date +%s%N) - begin))`
	took, err := repeat(b.runs, func(int) (time.Duration, error) {
		node, err := nodeOfRedis()
		if err != nil {
			return 0, err
		}
		d, err := measuredOnNode(node, script)
		if err != nil {
			return 0, err
		}
		// Forget the death, or the third one moves the service.
		_, err = program("restart", "service", name, "redis")
		return d, err
	})
	b.report(row{what: "daemon killed → answers again", ours: took, limit: 500 * time.Millisecond})
	return err
}
