package remote

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// destination is what a person would hand to ssh.
type destination struct {
	host, user   string
	port         int // 0 leaves it to the configuration
	identityFile string
	jumps        string // ProxyJump in place of the configured one; empty leaves it
}

// settings are what OpenSSH makes of a destination (ssh_config(5)).
type settings struct {
	hostName, user, port string
	hostKeyAlias         string
	knownHosts           []string
	identityFiles        []string
	certificateFiles     []string
	identityAgent        string
	identitiesOnly       bool
	proxyJump            string
	proxyCommand         string
}

// addr is where sshd answers.
func (s settings) addr() string { return net.JoinHostPort(s.hostName, s.port) }

// lookup is the address by which known_hosts has the host. An alias is looked
// up without a port (ssh_config(5), HostKeyAlias).
func (s settings) lookup() string {
	if s.hostKeyAlias != "" {
		return net.JoinHostPort(s.hostKeyAlias, sshPort)
	}
	return net.JoinHostPort(strings.ToLower(s.hostName), s.port)
}

const sshPort = "22"

// readSettings asks OpenSSH itself, so that Include, Match and all patterns are
// honoured as the user knows them. Without an ssh program the usual files of
// home are all that there is.
func readSettings(ctx context.Context, to destination, home string) (settings, error) {
	args := []string{"-G"}
	if to.user != "" {
		args = append(args, "-l", to.user)
	}
	if to.port != 0 {
		args = append(args, "-p", strconv.Itoa(to.port))
	}
	if to.identityFile != "" {
		args = append(args, "-i", expandHome(to.identityFile, home))
	}
	if to.jumps != "" {
		args = append(args, "-J", to.jumps)
	}
	cmd := exec.CommandContext(ctx, "ssh", append(args, "--", to.host)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return plainSettings(to, home), nil
	case ctx.Err() != nil:
		return settings{}, fmt.Errorf("read the configuration of ssh for %s: %w", to.host, context.Cause(ctx))
	case err != nil:
		return settings{}, cluster.WithHint(
			fmt.Errorf("read the configuration of ssh for %s: %w: %s", to.host, err, bytes.TrimSpace(stderr.Bytes())),
			"see what ssh -G %s says", to.host)
	}
	return parseSettings(out, to.host, home), nil
}

// plainSettings are OpenSSH's own, where nobody configured anything.
func plainSettings(to destination, home string) settings {
	s := settings{
		hostName: to.host, user: to.user, port: sshPort, proxyJump: to.jumps,
		knownHosts: []string{filepath.Join(home, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"},
	}
	if to.port != 0 {
		s.port = strconv.Itoa(to.port)
	}
	if to.identityFile != "" {
		s.identityFiles = append(s.identityFiles, expandHome(to.identityFile, home))
		return s
	}
	for _, kind := range []string{"id_rsa", "id_ecdsa", "id_ed25519"} {
		s.identityFiles = append(s.identityFiles, filepath.Join(home, ".ssh", kind))
	}
	return s
}

// parseSettings reads what ssh -G prints: a keyword in lower case and its value
// on each line.
func parseSettings(text []byte, host, home string) settings {
	s := settings{hostName: host, port: sshPort}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		keyword, value, _ := strings.Cut(lines.Text(), " ")
		if value == "none" && keyword != "hostname" && keyword != "user" {
			continue
		}
		switch keyword {
		case "hostname":
			s.hostName = value
		case "user":
			s.user = value
		case "port":
			s.port = value
		case "hostkeyalias":
			s.hostKeyAlias = value
		case "userknownhostsfile", "globalknownhostsfile":
			s.knownHosts = append(s.knownHosts, splitPaths(value)...)
		case "identityfile":
			s.identityFiles = append(s.identityFiles, value)
		case "certificatefile":
			s.certificateFiles = append(s.certificateFiles, value)
		case "identityagent":
			s.identityAgent = value
		case "identitiesonly":
			s.identitiesOnly = value == "yes"
		case "proxyjump":
			s.proxyJump = value
		case "proxycommand":
			s.proxyCommand = value
		}
	}
	expand := s.expander(host, home)
	for _, files := range [][]string{s.identityFiles, s.certificateFiles, s.knownHosts} {
		for i := range files {
			files[i] = expand(files[i])
		}
	}
	s.identityAgent = expand(s.identityAgent)
	return s
}

// splitPaths splits what ssh prints without quotes: a path with spaces is taken
// for one where it exists.
func splitPaths(text string) []string {
	words := strings.Split(text, " ")
	var paths []string
	for begin := 0; begin < len(words); {
		end := begin + 1
		for longer := begin + 2; longer <= len(words); longer++ {
			if _, err := os.Stat(strings.Join(words[begin:longer], " ")); err == nil {
				end = longer
			}
		}
		paths = append(paths, strings.Join(words[begin:end], " "))
		begin = end
	}
	return paths
}

// expander replaces the tokens of ssh_config(5) that ssh -G leaves in paths.
func (s settings) expander(host, home string) func(string) string {
	local, _ := os.Hostname() // %l and %L are rare
	short, _, _ := strings.Cut(local, ".")
	tokens := strings.NewReplacer("%%", "%", "%d", home, "%h", s.hostName, "%n", host, "%p", s.port,
		"%r", s.user, "%u", filepath.Base(home), "%l", local, "%L", short)
	return func(path string) string { return tokens.Replace(expandHome(path, home)) }
}

func expandHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(home, rest)
	}
	return path
}
