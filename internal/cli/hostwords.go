package cli

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// hostWords puts the hosts of a file in the place of each NODE that is @FILE. What
// others on this machine must not read stands in files: everybody can read the
// arguments of a process.
func (a *app) hostWords(words []string) ([]string, error) {
	var hosts []string
	var faults []error
	stdin := false
	for _, word := range words {
		path, isFile := strings.CutPrefix(word, "@")
		if !isFile {
			hosts = append(hosts, word)
			continue
		}
		if path == "-" && stdin {
			return nil, usagef("@- is standard input, which can be read once")
		}
		stdin = stdin || path == "-"
		inside, err := a.hostFile(path)
		hosts, faults = append(hosts, inside...), append(faults, err)
	}
	return hosts, errors.Join(faults...)
}

func (a *app) hostFile(path string) ([]string, error) {
	file := path
	switch path {
	case "":
		return nil, cluster.WithHint(usagef("@ names no file"), "write @FILE, or @- for standard input")
	case "-":
		file = "standard input"
	}
	text, err := a.readFile(path)
	if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(path, "~") {
		return nil, cluster.WithHint(err, "the shell leaves the ~ of @~ as it is: write @$HOME/…")
	}
	if err != nil {
		return nil, err
	}
	return cluster.SplitHosts(file, text)
}

// hostWord is the one host that a NODE gives.
func (a *app) hostWord(word string) (string, error) {
	hosts, err := a.hostWords([]string{word})
	if err != nil {
		return "", err
	}
	if len(hosts) != 1 {
		return "", cluster.WithHint(usagef("%s holds %d hosts", word, len(hosts)), "add one after the other")
	}
	return hosts[0], nil
}
