package local

import (
	"context"
	"fmt"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// create makes a container and starts it last: one that was never started is
// one that may lack its keys, see [container.made].
func (a *allocation) create(ctx context.Context, index int) error {
	hostKey, files, err := keyFiles(a.authorizedKey)
	if err != nil {
		return err
	}
	id, err := a.docker.word(ctx, a.createArgs(index, hostKey)...)
	if err != nil {
		return err
	}
	if _, err := a.docker.run(ctx, files, "cp", "-", id+":/"); err != nil {
		return err
	}
	_, err = a.docker.run(ctx, nil, "start", id)
	return err
}

// createArgs is the command line of docker create. Without seccomp and AppArmor
// profiles and with these capabilities systemd boots fully, and Corosync can
// lock its memory and run in real time; design.md §6 has the measurements.
func (a *allocation) createArgs(index int, hostKey string) []string {
	node := cluster.NodeName(index)
	args := []string{
		"create",
		"--name", containerName(a.name, index),
		"--hostname", node,
		"--network", networkName(a.name), "--network-alias", node,
		"--ip", nodeAddress(a.subnet, index).String(), // fixed: it stands in corosync.conf
		"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_NICE", "--cap-add", "IPC_LOCK",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
		// Each killed cluster daemon leaks shared memory; at the default 64 MB a
		// node stays offline with CS_ERR_NO_SPACE after a few.
		"--shm-size", "512m",
		"--tmpfs", "/run:exec,mode=755", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777",
		"--stop-signal", "SIGRTMIN+3", // systemd(1): halt
	}
	if a.cgroup == "1" {
		args = append(args, "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw")
	} else {
		// Untested until it was run on such a machine: the image's entry point
		// remounts the node's own cgroup tree writable.
		args = append(args, "--cgroupns", "private")
	}
	if a.options.PublishSSH {
		args = append(args, "--publish", "127.0.0.1::22")
	}
	args = append(args, a.labels(a.name)...)
	args = append(args, "--label", fmt.Sprintf("%s=%d", indexLabel, index), "--label", hostKeyLabel+"="+hostKey)
	return append(args, a.image)
}

// labels are the options that label what belongs to the cluster.
func (p *Provider) labels(name string) []string {
	args := []string{"--label", ClusterLabel + "=" + name}
	for _, key := range sortedKeys(p.options.Labels) {
		args = append(args, "--label", key+"="+p.options.Labels[key])
	}
	return args
}

func containerName(name string, index int) string {
	return "sirikata-" + name + "-" + cluster.NodeName(index)
}
