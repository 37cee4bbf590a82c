package keeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// directory is where a node keeps its services: below that of the cluster, one
// of its own name, because several nodes may share a home directory.
//
//	NODE/services/ID/service.json   the record
//	NODE/services/ID/run.json       the last run
//	NODE/services/ID/log, log.1     what it printed
//	NODE/services/ID/run/ID.pid     PIDFILE
//	NODE/locks/ID                   locked while a command changes the service
type directory struct{ path string }

// format is of the files in it; a program does not read what a newer one wrote.
const format = 1

// record is a service that was added to the node.
type record struct {
	Format  int             `json:"format"`
	Cluster string          `json:"cluster"`
	Node    string          `json:"node"`
	Service cluster.Service `json:"service"`
	Added   time.Time       `json:"added"`
	// Claim is whose claim it is, until it is first started.
	Claim string `json:"claim,omitempty"`
}

// run is one run of a service. Its keeper writes it.
type run struct {
	ID     string    `json:"id"`
	Boot   string    `json:"boot"`
	Host   string    `json:"host"` // what the host calls itself
	Keeper Identity  `json:"keeper"`
	Main   Identity  `json:"main"` // the process that the service lives by
	Begun  time.Time `json:"begun"`
	// Started is true once it has lived for a moment.
	Started bool `json:"started"`
	// Ended is true when it is over, and Reason why: empty if it was stopped.
	Ended  bool   `json:"ended"`
	Reason string `json:"reason,omitempty"`
}

// Others may pass, as a service of another user must to its pid file, and not
// look.
const (
	dirMode  = 0o711
	fileMode = 0o600
)

func (d directory) service(id string) string { return filepath.Join(d.path, "services", id) }

func (d directory) file(id, name string) string { return filepath.Join(d.service(id), name) }

func (d directory) pidFile(id string) string { return filepath.Join(d.service(id), "run", id+".pid") }

const (
	recordFile = "service.json"
	runFile    = "run.json"
	logFile    = "log"
	olderLog   = "log.1"
)

// ids are those of all services.
func (d directory) ids() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(d.path, "services"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var ids []string
	for _, entry := range entries {
		if cluster.ValidateServiceID(entry.Name()) == nil {
			ids = append(ids, entry.Name())
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// record reads the record of a service; ok is false if there is none.
func (d directory) record(id string) (r record, ok bool, err error) {
	ok, err = readJSON(d.file(id, recordFile), &r)
	if r.Format > format {
		return r, true, fmt.Errorf("the record of service %q was written by a newer sirikata-cluster", id)
	}
	return r, ok, err
}

// run reads the last run of a service; ok is false if there was none.
func (d directory) run(id string) (r run, ok bool, err error) {
	ok, err = readJSON(d.file(id, runFile), &r)
	return r, ok, err
}

func (d directory) writeRecord(r record) error {
	if err := os.MkdirAll(d.service(r.Service.ID), dirMode); err != nil {
		return err
	}
	return writeJSON(d.file(r.Service.ID, recordFile), r)
}

func (d directory) writeRun(id string, r run) error { return writeJSON(d.file(id, runFile), r) }

// forget removes a service, its record first: what is left then is nothing.
func (d directory) forget(id string) error {
	if err := os.Remove(d.file(id, recordFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(d.service(id))
}

// locked does something while no other command changes the service. A process
// that ends, however it does, gives its lock up. It is a lock of this host where
// home directories are shared, and of the whole network with NFS, which makes no
// difference: no other host uses this directory.
func (d directory) locked(ctx context.Context, id string, do func() error) error {
	dir := filepath.Join(d.path, "locks")
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	const retry = 20 * time.Millisecond
	lock := flock.New(filepath.Join(dir, id), flock.SetPermissions(fileMode))
	if _, err := lock.TryLockContext(ctx, retry); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("another command is changing service %q on this node", id)
		}
		return fmt.Errorf("lock service %q: %w", id, err)
	}
	defer func() { _ = lock.Close() }()
	return do()
}

func readJSON(path string, into any) (bool, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(content, into); err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return true, nil
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, v any) error {
	content, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(content, '\n'), fileMode, renameio.WithExistingPermissions())
}
