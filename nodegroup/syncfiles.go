package nodegroup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/release"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Copied is what was copied: where it is now, how many files there are in it, and
// their size in bytes.
type Copied = release.Copied

// FileEnd is one end of a copy: a path on the operator's machine or on a node.
type FileEnd struct {
	OnNode bool
	Path   string
}

func (e FileEnd) String() string {
	if e.OnNode {
		return "remote:" + e.Path
	}
	return "local:" + e.Path
}

// ParseFileEnd reads "local:/path" or "remote:/path". A path of the operator's
// machine may be relative.
func ParseFileEnd(text string) (FileEnd, error) {
	where, file, _ := strings.Cut(text, ":")
	end := FileEnd{OnNode: where == "remote", Path: file}
	switch {
	case where != "local" && where != "remote":
		return end, &cluster.InvalidError{What: fmt.Sprintf("path %q", text), Faults: []cluster.Fault{{
			Problem: "it does not say where it is: begin it with local: or remote:"}}}
	case file == "":
		return end, &cluster.InvalidError{What: fmt.Sprintf("path %q", text), Faults: []cluster.Fault{{Problem: "it is empty"}}}
	case end.OnNode && !path.IsAbs(file):
		return end, &cluster.InvalidError{What: fmt.Sprintf("path %q", text), Faults: []cluster.Fault{{
			Problem: "a path on a node must be absolute"}}}
	}
	return end, nil
}

// SyncFiles copies a file or directory between the operator's machine and a node,
// with modes, times and symlinks. The copy gets the name of the destination, or, if
// that ends in a slash, lies in it under its own. In a directory that is there files
// of the same names are replaced, each at once and whole; others stay.
//
// If anything fails before all has come, nothing was changed. It can be repeated.
// progress gets how many of how many bytes were read, when the operator's machine
// sends; it may be nil.
func (g *NodeGroup) SyncFiles(ctx context.Context, node string, from, to FileEnd, progress func(done, all int64)) (Copied, error) {
	if from.OnNode == to.OnNode {
		return Copied{}, &cluster.InvalidError{What: fmt.Sprintf("copy from %s to %s", from, to),
			Faults: []cluster.Fault{{Problem: "one of them is local: and the other one remote:"}}}
	}
	target, err := release.Target(from.Path, to.Path)
	if err != nil {
		return Copied{}, err
	}
	nodes, err := g.join(ctx)
	if err != nil {
		return Copied{}, err
	}
	found, err := g.findNode(nodes, node)
	if err != nil {
		return Copied{}, err
	}
	// It puts the program there, where it is put there by who needs it: what is
	// sent is sent once.
	if _, err := g.onNode(ctx, found.Name, []string{"version"}, nil, nil); err != nil {
		return Copied{}, &cluster.NodeError{Node: found.Name, Err: err}
	}
	if from.OnNode {
		return g.pull(ctx, found.Name, from.Path, target)
	}
	return g.push(ctx, found.Name, from.Path, target, progress)
}

// push copies to a node.
func (g *NodeGroup) push(ctx context.Context, node, source, target string, progress func(done, all int64)) (copied Copied, err error) {
	out, in := io.Pipe()
	defer func() { _ = out.Close() }() // or what sends would wait for ever
	var all, done int64
	sending := make(chan error, 1)
	go func() {
		err := release.Send(ctx, source, in, func(n int64) { all = n }, func(n int) {
			done += int64(n)
			if progress != nil {
				progress(done, all)
			}
		})
		sending <- err
		_ = in.CloseWithError(err)
	}()
	result, err := g.onNode(ctx, node, []string{"files", "receive", target}, out, nil)
	_ = out.Close()
	if sent := <-sending; sent != nil && !errors.Is(sent, io.ErrClosedPipe) {
		return copied, fmt.Errorf("send %s: %w", source, sent)
	}
	if err != nil {
		return copied, &cluster.NodeError{Node: node, Err: fmt.Errorf("receive %s: %w", target, saidBy(err))}
	}
	return copied, json.Unmarshal(result.Stdout, &copied)
}

// pull copies from a node.
func (g *NodeGroup) pull(ctx context.Context, node, source, target string) (copied Copied, err error) {
	target, err = filepath.Abs(target)
	if err != nil {
		return copied, err
	}
	out, in := io.Pipe()
	received := make(chan error, 1)
	go func() {
		var err error
		copied, err = release.Receive(ctx, out, target)
		_ = out.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		received <- err
	}()
	_, err = g.onNode(ctx, node, []string{"files", "send", source}, nil, in)
	if err != nil {
		_ = in.CloseWithError(err) // before the end of the stream: nothing is put in place
	} else {
		_ = in.Close()
	}
	here := <-received
	var exit *remote.ExitError
	switch {
	case err != nil && (errors.As(err, &exit) || here == nil || errors.Is(here, err)):
		return copied, &cluster.NodeError{Node: node, Err: fmt.Errorf("send %s: %w", source, saidBy(err))}
	case here != nil:
		return copied, fmt.Errorf("receive %s: %w", target, here)
	}
	return copied, nil
}

// saidBy is what sirikata-node said on a node, where it said something.
func saidBy(err error) error {
	var exit *remote.ExitError
	if errors.As(err, &exit) && len(bytes.TrimSpace(exit.Stderr)) > 0 {
		return cluster.WithHint(errors.New(string(bytes.TrimSpace(exit.Stderr))), "%s", cluster.HintOf(err))
	}
	return err
}
