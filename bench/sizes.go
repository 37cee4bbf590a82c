package main

import (
	"fmt"
	"time"
)

// threeNodes measures what is to be the same on more nodes.
func (b *bench) threeNodes() error {
	return inTurn(
		func() error { return bootOf(3) },
		func() error { return b.detection("at 3 nodes") },
		func() error { return b.cost("on 3 nodes", 500) },
		func() error { return b.redis() },
		b.failover,
	)
}

// sevenNodes measures the largest cluster whose nodes are all full.
func (b *bench) sevenNodes() error {
	return inTurn(
		func() error { return bootOf(7) },
		func() error { return b.detection("at 7 nodes") },
		func() error { return b.redis() },
		func() error { return b.killed("of 7 full nodes the one with Redis", 0, 8*time.Second) },
	)
}

// twelveNodes measures a cluster with remote nodes, on which Redis runs.
func (b *bench) twelveNodes() error {
	const size, full, capability = 12, 3, "remote"
	var flags []string
	for i := full; i < size; i++ {
		flags = append(flags, fmt.Sprintf("--capability=node%d=%s", i, capability))
	}
	const limit = 8 * time.Second
	return inTurn(
		func() error { return bootOf(size, flags...) },
		func() error { return b.detection("at 12 nodes") },
		func() error { return b.cost("on 12 nodes", 100) },
		func() error { return b.redis("--require=" + capability) },
		func() error { return b.killed("the remote node with Redis", 0, limit) },
		func() error { return b.silent("the remote node with Redis", limit) },
	)
}

// bootOf boots a cluster, with flags of `local create`.
func bootOf(size int, flags ...string) error {
	args := append([]string{"local", "create", name, fmt.Sprint(size), "--token-profile=lan"}, flags...)
	if _, err := program(args...); err != nil {
		return err
	}
	_, err := program("local", "nodes", "boot", name, "--wait-timeout=300")
	return err
}
