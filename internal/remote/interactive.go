package remote

import (
	"net"
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

// quoteOption keeps a path whole: ssh splits the option into several files at
// spaces, and replaces words that begin with % (ssh_config(5)).
func quoteOption(path string) string {
	return `"` + strings.NewReplacer(`%`, `%%`, `\`, `\\`, `"`, `\"`).Replace(path) + `"`
}
