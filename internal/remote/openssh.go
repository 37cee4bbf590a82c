package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// OpenSSH is how the operator's own ssh reaches hosts: its configuration, agent,
// keys, known hosts and jump hosts. One is shared by all hosts of a cluster, so
// that they share the connections to jump hosts, too. Its methods may be called
// from many goroutines.
type OpenSSH struct {
	// Agent is the socket of the SSH agent; empty if there is none.
	Agent string

	mu    sync.Mutex
	jumps map[string]*jump
}

// maxJumps bounds a chain of jump hosts, which a configuration can close to a
// ring.
const maxJumps = 8

// route is where a host is, and how to get in there.
type route struct {
	host Host // with the address, the keys and the jump host
	keys *HostKeys
	// close ends the connection to the agent, which signs during the login.
	close func()
}

// route finds the way to a host whose Addr is what a person would call it by.
func (o *OpenSSH) route(ctx context.Context, host Host, keys *HostKeys) (route, error) {
	to := destination{user: host.User, identityFile: host.IdentityFile}
	var err error
	if to.host, to.port, err = splitPort(host.Addr); err != nil {
		return route{}, fmt.Errorf("connect to %s: %w", host.where(), err)
	}
	return o.find(ctx, host, to, keys, nil)
}

func (o *OpenSSH) find(ctx context.Context, host Host, to destination, keys *HostKeys, trail []string) (route, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return route{}, err
	}
	settings, err := readSettings(ctx, to, home)
	if err != nil {
		return route{}, err
	}
	if settings.proxyCommand != "" {
		return route{}, cluster.WithHint(fmt.Errorf("connect to %s: ~/.ssh/config reaches it by a ProxyCommand, which we cannot use", host.where()),
			"use ProxyJump instead")
	}
	host.called, host.Addr, host.User, host.lookup = host.Addr, settings.addr(), settings.user, settings.lookup()
	if host.jump, err = o.jumpOf(to, settings); err != nil {
		return route{}, fmt.Errorf("connect to %s: %w", host.where(), err)
	}
	host.trail, host.jumpKeys = trail, keys
	identities := o.identities(ctx, settings)
	host.Keys, host.locked = append(host.Keys, identities.signers...), identities.locked
	return route{host: host, keys: keys.alsoBy(settings.knownHosts), close: identities.close}, nil
}

// jumpOf is the jump host nearest to the host; it is reached through those that
// stand before it in the list (ssh_config(5), ProxyJump).
func (o *OpenSSH) jumpOf(to destination, settings settings) (*destination, error) {
	if settings.proxyJump == "" {
		return nil, nil
	}
	before, last := "", settings.proxyJump
	if comma := strings.LastIndexByte(settings.proxyJump, ','); comma >= 0 {
		before, last = settings.proxyJump[:comma], settings.proxyJump[comma+1:]
	}
	last = strings.TrimSuffix(strings.TrimPrefix(last, "ssh://"), "/")
	jump := destination{jumps: before}
	if at := strings.LastIndexByte(last, '@'); at >= 0 {
		jump.user, last = last[:at], last[at+1:]
	}
	var err error
	if jump.host, jump.port, err = splitPort(last); err != nil {
		return nil, fmt.Errorf("ProxyJump %s: %w", settings.proxyJump, err)
	}
	if strings.EqualFold(jump.host, to.host) && (jump.port == 0 || jump.port == to.port) {
		return nil, nil // "Host *" means the jump host itself, too
	}
	return &jump, nil
}

// splitPort splits HOST, HOST:PORT, [HOST]:PORT and bare IPv6 addresses.
func splitPort(text string) (host string, port int, err error) {
	if net.ParseIP(text) != nil || !strings.Contains(text, ":") {
		return strings.Trim(text, "[]"), 0, nil
	}
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(digits)
	if err != nil || port < 1 {
		return "", 0, errors.New("port " + strconv.Quote(digits) + " is no number")
	}
	return host, port, nil
}
