package keeper

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

// claim records a service that is to be started, unless there is one of its id.
func (n *node) claim(ctx context.Context, service cluster.Service) protocol.Result {
	return n.change(ctx, service.ID, func(result *protocol.Result) error {
		if n.request.Claim == "" {
			return errors.New("a claim must be somebody's")
		}
		if _, ok, err := n.dir.record(service.ID); err != nil || ok {
			result.Taken = ok
			return err
		}
		err := n.dir.writeRecord(record{
			Format: format, Cluster: n.request.Node.Cluster, Node: n.request.Node.Name,
			Service: service, Added: time.Now(), Claim: n.request.Claim,
		})
		if err != nil {
			err = errors.Join(err, n.dir.forget(service.ID))
		}
		return err
	})
}

// withdraw forgets a service that nobody has started yet.
func (n *node) withdraw(ctx context.Context, id string) protocol.Result {
	return n.change(ctx, id, func(result *protocol.Result) error {
		record, ok, err := n.dir.record(id)
		if err != nil || !ok {
			return err
		}
		if record.Claim != n.request.Claim {
			result.Taken = true
			return nil
		}
		return n.dir.forget(id)
	})
}

// start starts a service for the first time. One that does not run then is
// forgotten again.
func (n *node) start(ctx context.Context, id string) protocol.Result {
	return n.change(ctx, id, func(result *protocol.Result) error {
		record, ok, err := n.dir.record(id)
		if err != nil {
			return err
		}
		if !ok || record.Claim != n.request.Claim {
			return errors.New("it was removed by another command")
		}
		err = n.launch(ctx, record, result)
		if err != nil {
			err = errors.Join(err, n.stop(id))
		}
		if err != nil || result.Failure != "" {
			err = errors.Join(err, n.dir.forget(id))
		}
		return err
	})
}

// restart stops a service and starts it again. One that does not run then stays
// recorded.
func (n *node) restart(ctx context.Context, id string) protocol.Result {
	return n.change(ctx, id, func(result *protocol.Result) error {
		record, ok, err := n.dir.record(id)
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("it was removed by another command")
		}
		if err := n.stop(id); err != nil {
			return err
		}
		return n.launch(ctx, record, result)
	})
}

// remove stops a service and forgets it.
func (n *node) remove(ctx context.Context, id string) protocol.Result {
	return n.change(ctx, id, func(*protocol.Result) error {
		// Whatever its record says, or even if it cannot be read.
		if err := n.stop(id); err != nil {
			return err
		}
		return n.dir.forget(id)
	})
}

// launch starts the keeper of a service that does not run, and waits for its
// report.
func (n *node) launch(ctx context.Context, record record, result *protocol.Result) error {
	id := record.Service.ID
	limit := time.Duration(n.request.StartMS) * time.Millisecond
	plan, err := n.newPlan(ctx, record.Service, rand.Text(), limit)
	if err != nil {
		result.Failure = err.Error()
		return nil
	}
	if err := n.runDirectory(id, plan.As); err != nil {
		return err
	}
	// Until the keeper says more, this command is who starts it.
	begun, err := newRun(plan)
	if err == nil {
		err = n.dir.writeRun(id, begun)
	}
	if err != nil {
		return err
	}
	record.Claim = ""
	if err := n.dir.writeRecord(record); err != nil {
		return err
	}
	said, err := n.keep(ctx, plan)
	if err != nil {
		return err
	}
	result.Failure, result.Output = said.Failure, said.Output
	return nil
}

// runDirectory makes an empty directory for the pid file, which belongs to whoever
// runs the service.
func (n *node) runDirectory(id string, as *Account) error {
	dir := filepath.Dir(n.dir.pidFile(id))
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil || as == nil {
		return err
	}
	return os.Chown(dir, int(as.UID), int(as.GID))
}

// keep starts a keeper, which outlives this command and the connection that
// called it.
func (n *node) keep(ctx context.Context, plan plan) (report, error) {
	text, err := json.Marshal(plan)
	if err != nil {
		return report{}, err
	}
	// The names are for those who look at a list of processes.
	cmd := exec.Command(n.program, protocol.Keep, n.request.Node.Cluster, n.request.Node.Name, plan.ID)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), runVariable+"="+plan.Run)
	cmd.Stdin = bytes.NewReader(text)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return report{}, err
	}
	if err := cmd.Start(); err != nil {
		return report{}, fmt.Errorf("start its keeper: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = out.Close() })()
	var said report
	if err := json.NewDecoder(out).Decode(&said); err != nil {
		return report{}, fmt.Errorf("its keeper ended without a word: %w", err)
	}
	return said, nil
}
