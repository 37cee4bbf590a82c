package keeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

// node is the host, as the node that a request is for.
type node struct {
	request protocol.Request
	environ []string
	dir     directory
	boot    string
	program string // this program, to be started as a keeper
}

// Serve reads a request from stdin and writes its answer, or what a service
// printed, to stdout. It returns the exit status: 0 whenever there is an answer.
func Serve(ctx context.Context, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	decoder := json.NewDecoder(stdin)
	n := &node{environ: environ}
	err := decoder.Decode(&n.request)
	if err == nil {
		err = n.open()
	}
	if err == nil && (n.request.Action == protocol.Logs || n.request.Action == protocol.Follow) {
		if err = n.logs(ctx, io.MultiReader(decoder.Buffered(), stdin), stdout); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	answer := protocol.Answer{UID: os.Geteuid()}
	if err == nil {
		err = n.answer(ctx, &answer)
	}
	if err != nil {
		answer.Error = explain(err).Error()
	}
	if err := json.NewEncoder(stdout).Encode(answer); err != nil {
		return 1
	}
	return 0
}

func (n *node) open() (err error) {
	n.dir = directory{filepath.Join(n.request.Directory, n.request.Node.Name)}
	if n.boot, err = bootID(); err != nil {
		return err
	}
	n.program, err = os.Executable()
	return err
}

// explain makes what a file system says a reason for a person.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("there is no space left: %w", err)
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.ENOTSUP):
		return fmt.Errorf("its file system keeps no locks, which a workspace path must: %w", err)
	}
	return err
}

// together is how many services are worked on at once.
const together = 8

func (n *node) answer(ctx context.Context, answer *protocol.Answer) error {
	request := n.request
	var do func(ctx context.Context, id string) protocol.Result
	switch request.Action {
	case protocol.Look:
		return n.look(answer)
	case protocol.Leave:
		return n.leave()
	case protocol.Claim:
		answer.Results = each(request.Services, func(service cluster.Service) protocol.Result { return n.claim(ctx, service) })
		return nil
	case protocol.Withdraw:
		do = n.withdraw
	case protocol.Start:
		do = n.start
	case protocol.Restart:
		do = n.restart
	case protocol.Remove:
		do = n.remove
	case protocol.Logs, protocol.Follow:
	}
	if do == nil {
		return fmt.Errorf("unknown action %q", request.Action)
	}
	answer.Results = each(request.IDs, func(id string) protocol.Result { return do(ctx, id) })
	return nil
}

// each works on several items at once and returns the results in their order.
func each[T any](items []T, do func(T) protocol.Result) []protocol.Result {
	results := make([]protocol.Result, len(items))
	var group errgroup.Group
	group.SetLimit(together)
	for i, item := range items {
		group.Go(func() error {
			results[i] = do(item)
			return nil
		})
	}
	_ = group.Wait()
	return results
}

// change does something to a service while no other command does.
func (n *node) change(ctx context.Context, id string, do func(result *protocol.Result) error) protocol.Result {
	result := protocol.Result{ID: id}
	err := cluster.ValidateServiceID(id)
	if err == nil {
		err = n.dir.locked(ctx, id, func() error { return do(&result) })
	}
	if err != nil {
		result.Failure = explain(err).Error()
	}
	return result
}
