package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// host is what the agent asks of the machine besides systemd.
type host struct {
	node       func() (cluster.NodeFile, error)
	account    func(ctx context.Context, user string) (account, error)
	mayExecute func(who account, path string) error
}

// account is who a user is to the kernel.
type account struct {
	uid, gid uint32
	groups   []uint32
}

// errNoUser says that the machine knows no such user.
var errNoUser = errors.New("does not exist")

func thisHost() host {
	return host{
		node:       func() (cluster.NodeFile, error) { return readNodeFile(cluster.NodeFilePath) },
		account:    lookUpAccount,
		mayExecute: mayExecute,
	}
}

func readNodeFile(path string) (cluster.NodeFile, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return cluster.NodeFile{}, err
	}
	var node cluster.NodeFile
	if err := json.Unmarshal(content, &node); err != nil {
		return cluster.NodeFile{}, fmt.Errorf("read %s: %w", path, err)
	}
	return node, nil
}

// lookUpAccount asks the C library's tools, because only that knows of users
// that are not in /etc/passwd, such as LDAP's (nsswitch.conf(5)); a static
// program does not.
func lookUpAccount(ctx context.Context, user string) (account, error) {
	out, err := exec.CommandContext(ctx, "getent", "passwd", "--", user).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 { // getent(1): not found
		return account{}, errNoUser
	}
	if err != nil {
		return account{}, fmt.Errorf("run getent: %w", err)
	}
	fields := strings.Split(strings.TrimSpace(string(out)), ":")
	const name, uid, gid = 0, 2, 3
	if len(fields) <= gid {
		return account{}, fmt.Errorf("run getent: unexpected answer %q", out)
	}
	groups, err := exec.CommandContext(ctx, "id", "-G", "--", fields[name]).Output()
	if err != nil {
		return account{}, fmt.Errorf("run id: %w", err)
	}
	numbers, err := parseIDs(append([]string{fields[uid], fields[gid]}, strings.Fields(string(groups))...))
	if err != nil {
		return account{}, err
	}
	return account{uid: numbers[0], gid: numbers[1], groups: numbers[2:]}, nil
}

func parseIDs(texts []string) ([]uint32, error) {
	ids := make([]uint32, len(texts))
	for i, text := range texts {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read user or group id: %w", err)
		}
		ids[i] = uint32(id)
	}
	return ids, nil
}
