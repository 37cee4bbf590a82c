package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	syncNodes = 8
	// linkRate is that of each node's link where links are the limit, as tc(8)
	// writes it. All of them at once are less than this machine can encrypt.
	linkRate = "160mbit"
)

// syncing measures a package that gets to eight nodes, beside rsync: first as fast
// as this machine can, then with links that are the limit.
func (b *bench) syncing() error {
	if err := need(map[string]string{"rsync": "rsync", "tc": "iproute2"}); err != nil {
		return err
	}
	dir, err := install()
	defer func() { _ = os.RemoveAll(dir) }()
	if err != nil {
		return err
	}
	if err := bootOf(syncNodes); err != nil {
		return err
	}
	if err := b.synced(dir, "sync 200 MB to 8 nodes", min(b.runs, 3)); err != nil {
		return err
	}
	again, err := repeat(b.runs, func(int) (time.Duration, error) { return timed("sync", "sirikata", name, dir) })
	if err != nil {
		return err
	}
	b.report(row{what: "sync the same 200 MB to 8 nodes again", ours: again, limit: time.Second})
	if err := shape(); err != nil {
		return err
	}
	return b.synced(dir, "sync 200 MB to 8 nodes, "+linkRate+" each", 1)
}

// synced measures one sync of a release that no node and no cache knows.
func (b *bench) synced(dir, what string, runs int) error {
	ours, err := repeat(runs, func(int) (time.Duration, error) {
		if _, err := program("ssh", name, "--", "sh", "-c", "rm -rf /home/sirikata/sirikata/* /home/sirikata/sirikata/.releases"); err != nil {
			return 0, err
		}
		if err := os.RemoveAll(filepath.Join(os.Getenv("SIRIKATA_CLUSTER_HOME"), "packages")); err != nil {
			return 0, err
		}
		return timed("sync", "sirikata", name, dir)
	})
	if err != nil {
		return err
	}
	together, err := repeat(runs, func(int) (time.Duration, error) { return rsyncs(dir, syncNodes) })
	if err != nil {
		return err
	}
	oneByOne, err := repeat(1, func(int) (time.Duration, error) { return rsyncs(dir, 1) })
	b.report(row{what: what, ours: ours, peers: []peer{{"rsync, 8 at once", together}, {"rsync, one after the other", oneByOne}}})
	return err
}

// rsyncs copies the installation to all nodes by rsync, so many at once.
func rsyncs(dir string, atOnce int) (time.Duration, error) {
	now, err := status()
	if err != nil {
		return 0, err
	}
	if _, err := program("ssh", name, "--", "rm", "-rf", "/home/peer"); err != nil {
		return 0, err
	}
	key := filepath.Join(os.Getenv("SIRIKATA_CLUSTER_HOME"), "clusters", name, "id_ed25519")
	remoteShell := "ssh -i " + key + " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
	var group errgroup.Group
	group.SetLimit(atOnce)
	begin := time.Now()
	for _, node := range now.Nodes {
		group.Go(func() error {
			out, err := exec.Command("rsync", "-a", "-e", remoteShell, dir+"/", "root@"+node.Address+":/home/peer/").CombinedOutput()
			if err != nil {
				return fmt.Errorf("rsync to %s: %w: %s", node.Name, err, out)
			}
			return nil
		})
	}
	err = group.Wait()
	return time.Since(begin), err
}

// shape limits the link of each node, at the end that is this machine's.
func shape() error {
	links, err := exec.Command("ip", "-o", "link").Output()
	if err != nil {
		return err
	}
	now, err := status()
	if err != nil {
		return err
	}
	for _, node := range now.Nodes {
		peer, err := onNode(node.Name, "cat /sys/class/net/eth0/iflink")
		if err != nil {
			return err
		}
		device := linkOf(string(links), strings.TrimSpace(peer))
		if device == "" {
			return errors.New("this machine has no link to " + node.Name)
		}
		if _, err := shell(`tc qdisc replace dev "$1" root tbf rate "$2" burst 256k latency 50ms`, device, linkRate); err != nil {
			return err
		}
	}
	return nil
}

// linkOf is the name of the link with that index, in what "ip -o link" prints.
func linkOf(links, index string) string {
	for line := range strings.Lines(links) {
		number, rest, _ := strings.Cut(line, ": ")
		device, _, _ := strings.Cut(rest, ":")
		if number == index {
			device, _, _ = strings.Cut(device, "@")
			return device
		}
	}
	return ""
}
