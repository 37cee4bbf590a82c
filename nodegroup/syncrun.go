package nodegroup

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/sirikata/sirikata-cluster/internal/release"
)

// syncRun is one sync of one release.
type syncRun struct {
	g       *NodeGroup
	digest  string
	stream  releaseStream
	options SyncOptions
	inUse   []string
	sent    func(n int)
}

func (r *syncRun) lacks(node *syncNode) bool { return r.options.InPlace || !node.state.Has(r.digest) }

// count makes progress of what is sent to all that lack the release.
func (r *syncRun) count(nodes syncNodes) {
	var all int64
	for _, node := range nodes {
		if node.Err == nil && r.lacks(node) {
			all += r.stream.Size
		}
	}
	r.sent = r.counter(all)
}

// counter adds up what several goroutines do.
func (r *syncRun) counter(all int64) func(n int) {
	if r.options.Progress == nil {
		return func(int) {}
	}
	var done atomic.Int64
	turn := make(chan struct{}, 1)
	return func(n int) {
		now := done.Add(int64(n))
		select {
		case turn <- struct{}{}:
			r.options.Progress(now, all)
			<-turn
		default: // another one shows it
		}
	}
}

// tries is how often a transfer begins at another offset. More than one other at a
// time is not at work there.
const tries = 3

// to puts the release on one node.
func (r *syncRun) to(ctx context.Context, node *syncNode) error {
	if !r.lacks(node) {
		state, err := r.g.askRelease(ctx, node.Node, append(r.g.owner(node.Node), r.args()...), nil)
		return node.took(state, errors.Join(err, r.g.faultOf(state)))
	}
	var state release.State
	var offset int64
	for range tries {
		var err error
		if state, err = r.transfer(ctx, node, offset); err != nil {
			return err
		}
		if state.Fault != release.Moved {
			break
		}
		offset = state.Offset
	}
	return node.took(state, r.g.faultOf(state))
}

// args are those of install and switch.
func (r *syncRun) args() []string {
	args := []string{"--digest", r.digest}
	if len(r.inUse) > 0 {
		args = append(args, "--in-use", strings.Join(r.inUse, ","))
	}
	return args
}

// transfer sends the stream from an offset on.
func (r *syncRun) transfer(ctx context.Context, node *syncNode, offset int64) (release.State, error) {
	file, err := os.Open(r.g.packages().file(r.digest))
	if err != nil {
		return release.State{}, err
	}
	defer func() { _ = file.Close() }()
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	args := append(r.g.releaseArgs("install", node.Node), r.args()...)
	args = append(args, "--stdin", "--stream", r.stream.Name, "--offset", number(offset), "--size", number(r.stream.Size),
		"--bytes", number(r.stream.Bytes), "--files", number(r.stream.Files))
	if r.options.InPlace {
		args = append(args, "--in-place")
	}
	counting := &countedReader{from: io.NewSectionReader(file, offset, r.stream.Size-offset), each: r.sent}
	state, err := r.g.askRelease(ctx, node.Node, args, counting)
	node.Sent = counting.n.Load()
	return state, err
}

// countedReader counts what is read.
type countedReader struct {
	from io.Reader
	n    atomic.Int64
	each func(n int)
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	c.each(n)
	return n, err
}
