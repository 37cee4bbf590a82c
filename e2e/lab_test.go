//go:build lab

package e2e

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"
)

const (
	programVariable = "SIRIKATA_CLUSTER_BIN"
	clusterLabel    = "org.sirikata.cluster"
	indexLabel      = "org.sirikata.index"
	// namePrefix begins the names of all clusters here and of no others.
	namePrefix = "t-e2e-"
)

// lab is what all tests share.
var lab struct {
	program string // a copy: a build in between does not change what is tested
	home    string // SIRIKATA_CLUSTER_HOME of the first operator
	missing error  // why there is no container engine, or nil
	shared  sharedCluster
}

func TestMain(m *testing.M) {
	code, err := runLab(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		code = 1
	}
	os.Exit(code)
}

func runLab(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "sirikata-lab-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // other users run the program, too
		return 1, err
	}
	if lab.program, err = copyProgram(dir); err != nil {
		return 1, err
	}
	lab.home = filepath.Join(dir, "home")
	if lab.missing = engineMissing(); lab.missing != nil {
		return m.Run(), nil // each test says so
	}
	only := flock.New(filepath.Join(os.TempDir(), "sirikata-cluster-lab.lock"))
	if err := only.Lock(); err != nil {
		return 1, fmt.Errorf("wait for another lab: %w", err)
	}
	defer only.Close()
	if err := cleanUp(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cleanUp()) }()
	return m.Run(), nil
}

func copyProgram(dir string) (string, error) {
	source := os.Getenv(programVariable)
	if source == "" {
		source = filepath.Join("..", "bin", "sirikata-cluster")
	}
	content, err := os.ReadFile(source)
	if err != nil {
		return "", fmt.Errorf("%w: run make build, or set %s", err, programVariable)
	}
	program := filepath.Join(dir, "sirikata-cluster")
	return program, os.WriteFile(program, content, 0o755)
}

func engineMissing() error {
	out, err := exec.Command("docker", "version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("no container engine: %w: %s", err, out)
	}
	return nil
}

// needEngine skips a test where there is no engine, but fails it in CI.
func needEngine(t *testing.T) {
	t.Helper()
	if lab.missing == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal(lab.missing)
	}
	t.Skip(lab.missing)
}

// newName is a name for a cluster of this run.
func newName() string { return namePrefix + strings.ToLower(rand.Text()[:6]) }

// cleanUp removes what any run made.
func cleanUp() error {
	containers, err := labelled("ps", "--all")
	networks, networksErr := labelled("network", "ls")
	faults := []error{err, networksErr}
	for _, id := range containers {
		faults = append(faults, remove("rm", "--force", "--volumes", id))
	}
	for _, id := range networks {
		faults = append(faults, remove("network", "rm", id))
	}
	return errors.Join(faults...)
}

// remove removes what may have gone since it was listed.
func remove(args ...string) error {
	out, err := docker(args...)
	if strings.Contains(out, "not found") || strings.Contains(out, "No such") {
		return nil
	}
	return err
}

// labelled returns the ids of what belongs to clusters of the lab.
func labelled(list ...string) ([]string, error) {
	format := fmt.Sprintf("{{.ID}} {{.Label %q}}", clusterLabel)
	out, err := docker(append(list, "--no-trunc", "--filter", "label="+clusterLabel, "--format", format)...)
	var ids []string
	for line := range strings.Lines(out) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, namePrefix) {
			ids = append(ids, id)
		}
	}
	return ids, err
}

func docker(args ...string) (string, error) {
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("docker %s: %w: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
