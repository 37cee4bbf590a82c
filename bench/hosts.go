package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// hosts are machines that somebody has: as many sshds, each with an address and a
// host key of its own, in one container. One sshd for all would drop connections that
// come too many at once (MaxStartups in sshd_config(5)).
type hosts struct {
	addresses []string
	key       string // file of the user's key
	known     string // file with the host keys, as OpenSSH reads it
}

const (
	hostsName = "bench-hosts" // of the cluster, the container and its network
	hostsUser = "bob"         // unprivileged
)

// setUpHosts gets the number of hosts and the user's public key.
const setUpHosts = `set -e
mkdir -p /run/sshd
useradd -m -p '*' -s /bin/bash ` + hostsUser + `
cd /home/` + hostsUser + `
mkdir -m 700 .ssh
echo "$2" >.ssh/authorized_keys
chown -R ` + hostsUser + `: .ssh
own=$(hostname -i)
for i in $(seq "$1"); do
	address=${own%.*}.$((100 + i))
	ip address add "$address/32" dev eth0
	ssh-keygen -q -t ed25519 -N '' -f "/etc/ssh/host$i"
	/usr/sbin/sshd -o "ListenAddress=$address" -o "HostKey=/etc/ssh/host$i" -o PidFile=none
	echo "$address $(cut -d ' ' -f 1-2 "/etc/ssh/host$i.pub")"
done
echo ready
exec sleep infinity`

// newHosts makes hosts, and a cluster of them. What is made is removed by
// removeHosts, also after an error.
func (b *bench) newHosts(count int) (*hosts, error) {
	removeHosts()
	home := os.Getenv("SIRIKATA_CLUSTER_HOME")
	h := &hosts{key: filepath.Join(home, "bench-key"), known: filepath.Join(home, "bench-known-hosts")}
	if err := execute("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", h.key); err != nil {
		return nil, err
	}
	public, err := os.ReadFile(h.key + ".pub")
	if err != nil {
		return nil, err
	}
	if err := execute("docker", "network", "create", hostsName); err != nil {
		return nil, err
	}
	if err := execute("docker", "run", "--detach", "--init", "--cap-add", "NET_ADMIN", "--name", hostsName, "--network", hostsName,
		"--entrypoint", "/bin/sh", b.image, "-c", setUpHosts, "sh", fmt.Sprint(count), strings.TrimSpace(string(public))); err != nil {
		return nil, err
	}
	known, err := hostKeys()
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(known) {
		h.addresses = append(h.addresses, strings.Fields(line)[0])
	}
	if len(h.addresses) != count {
		return nil, fmt.Errorf("%d hosts, not %d: %s", len(h.addresses), count, known)
	}
	if err := os.WriteFile(h.known, []byte(known), 0o600); err != nil {
		return nil, err
	}
	return h, h.create()
}

// hostKeys waits until all hosts answer, and returns their keys.
func hostKeys() (string, error) {
	deadline := time.Now().Add(time.Minute)
	for {
		var faults bytes.Buffer
		logs := exec.Command("docker", "logs", hostsName)
		logs.Stderr = &faults
		out, err := logs.Output()
		if known, ready := strings.CutSuffix(string(out), "ready\n"); ready {
			return known, nil
		}
		state, stateErr := exec.Command("docker", "container", "inspect", "--format", "{{.State.Status}}", hostsName).Output()
		if err != nil || stateErr != nil || strings.TrimSpace(string(state)) != "running" || time.Now().After(deadline) {
			return "", fmt.Errorf("set up hosts: the container is %s: %s", strings.TrimSpace(string(state)), faults.String())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// create makes the cluster, and runs a command on it: the first contact pins the host
// keys, so that we and the peers alike check keys that are known.
func (h *hosts) create() error {
	home := "/home/" + hostsUser
	args := []string{"adhoc", "create", hostsName, hostsUser, home + "/sirikata", home, "/tmp"}
	for _, address := range h.addresses {
		args = append(args, fmt.Sprintf(`{"dns_name":%q,"identity_file":%q}`, address, h.key))
	}
	if _, err := program(args...); err != nil {
		return err
	}
	_, err := program("ssh", hostsName, "--", "true")
	return err
}

// silence has a host drop all packets that come to it.
func (h *hosts) silence(address string) error {
	return execute("docker", "exec", hostsName, "iptables", "-I", "INPUT", "-d", address, "-j", "DROP")
}

// removeHosts leaves nothing behind. There may be nothing.
func removeHosts() {
	_ = execute("docker", "rm", "--force", "--volumes", hostsName)
	_ = execute("docker", "network", "rm", hostsName)
}

// execute runs a program of which only the success counts.
func execute(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv[:min(3, len(argv))], " "), err, out)
	}
	return nil
}

// need says which programs are missing, and where Debian has them.
func need(packages map[string]string) error {
	var missing, install []string
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		if _, err := exec.LookPath(name); err != nil {
			missing, install = append(missing, name), append(install, packages[name])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("not installed: %s (apt-get install %s)", strings.Join(missing, ", "), strings.Join(install, " "))
}
