package remote

import (
	"context"
	"net"
	"strconv"
	"strings"
)

// InteractiveArgs is the argument list, program name included, with which the
// system's ssh gives a person a prompt on a host. A command may be appended as
// one more argument (see [Quote]). knownHostsFile holds the pins, see
// [HostKeys.EnsurePinned]; the host must be in it, and no other file is asked.
// Without an identityFile ssh looks for keys as it is configured to.
func InteractiveArgs(host Host, identityFile, knownHostsFile string) []string {
	args := []string{"ssh"}
	if identityFile != "" {
		args = append(args, "-i", identityFile, "-o", "IdentitiesOnly=yes")
	}
	args = append(args,
		"-o", "UserKnownHostsFile="+quoteOption(knownHostsFile),
		"-o", "GlobalKnownHostsFile=/dev/null",
		"-o", "HostKeyAlias="+host.Name,
		"-o", "StrictHostKeyChecking=yes",
	)
	name := host.Addr
	if h, port, err := net.SplitHostPort(host.Addr); err == nil {
		name = h
		args = append(args, "-p", port)
	}
	if host.User != "" {
		name = host.User + "@" + name
	}
	return append(args, "--", name)
}

// Prompt is the argument list, program name included, that gives a person a
// prompt on a host as the person's own ssh would, or on the operator's machine.
// It connects first, so that the host's key is checked, and pinned at first
// contact; ssh is then told to trust what we trust. Errors as of [Dial].
func Prompt(ctx context.Context, host Host, keys *HostKeys, knownHostsFile string) ([]string, error) {
	client, err := Dial(ctx, host, keys)
	if err != nil {
		return nil, err
	}
	if err := client.Close(); err != nil {
		return nil, err
	}
	if host.Here {
		return []string{"/bin/sh", "-c", `cd; exec "${SHELL:-/bin/sh}" -l`}, nil
	}
	args := []string{"ssh", "-o", "StrictHostKeyChecking=yes", "-l", host.User}
	if _, pinned := keys.Known(host.Name); pinned {
		args = append(args,
			"-o", "UserKnownHostsFile="+quoteOption(knownHostsFile),
			"-o", "GlobalKnownHostsFile=/dev/null",
			"-o", "HostKeyAlias="+host.Name)
	}
	if host.IdentityFile != "" {
		args = append(args, "-i", host.IdentityFile)
	}
	name, port, err := splitPort(host.Addr)
	if err != nil {
		return nil, err
	}
	if port != 0 {
		args = append(args, "-p", strconv.Itoa(port))
	}
	return append(args, "--", name), nil
}

// quoteOption keeps a path whole: ssh splits the option into several files at
// spaces, and replaces words that begin with % (ssh_config(5)).
func quoteOption(path string) string {
	return `"` + strings.NewReplacer(`%`, `%%`, `\`, `\\`, `"`, `\"`).Replace(path) + `"`
}
