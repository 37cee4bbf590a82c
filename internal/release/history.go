package release

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

const historyName = "history"

// order are the releases that are there, in the order of use. The file that says
// so is advice: what it does not know of comes first, but the current one last.
func (s store) order() ([]string, error) {
	entries, err := os.ReadDir(s.releases())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var there []string
	for _, entry := range entries {
		if entry.IsDir() && isDigest(entry.Name()) {
			there = append(there, entry.Name())
		}
	}
	text, err := os.ReadFile(s.releases(historyName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return arrange(there, strings.Fields(string(text)), s.current()), nil
}

// arrange puts what is there in the order of a history.
func arrange(there, history []string, current string) []string {
	var order []string
	for _, digest := range there {
		if !slices.Contains(history, digest) && digest != current {
			order = append(order, digest)
		}
	}
	if current != "" && !slices.Contains(history, current) {
		history = append(slices.Clone(history), current)
	}
	for _, digest := range history {
		if slices.Contains(there, digest) && !slices.Contains(order, digest) {
			order = append(order, digest)
		}
	}
	return order
}

// switched is the order after a switch to a release that was synced. What was
// rolled back from is what anybody misses least, and goes to the front.
func switched(order []string, current, digest string) []string {
	if digest == current {
		return order
	}
	order = slices.DeleteFunc(slices.Clone(order), func(d string) bool { return d == digest })
	if at := slices.Index(order, current); at >= 0 {
		order = slices.Concat(order[at+1:], order[:at+1])
	}
	return append(order, digest)
}

// before is the release to go back to from the current one; "" is none.
func before(order []string, current string) string {
	if at := slices.Index(order, current); at > 0 {
		return order[at-1]
	}
	return ""
}

// spare are the releases that need not stay: neither the last ones of the order,
// nor in use.
func spare(order []string, current string, used []string) []string {
	var all []string
	for _, digest := range order[:max(0, len(order)-Keep)] {
		if digest != current && !slices.Contains(used, digest) {
			all = append(all, digest)
		}
	}
	return all
}

func (s store) writeOrder(order []string) error {
	return renameio.WriteFile(s.releases(historyName), []byte(strings.Join(order, "\n")+"\n"), 0o644, renameio.WithTempDir(s.releases()))
}
