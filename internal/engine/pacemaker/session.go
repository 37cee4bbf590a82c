package pacemaker

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// session is the work of one command: it speaks to one node for as long as
// that node answers.
type session struct {
	engine *Engine
	client *remote.Client
	look   func(context.Context) (view, error)
	view   view // what the cluster was when the session began
	// took is how long it took to look: the larger the cluster, the longer, and the
	// longer it takes to decide anything.
	took time.Duration
}

// view is what a cluster says of itself.
type view struct {
	mon       cib.Mon
	resources cib.Resources
	transient []byte // the transient attributes, as XML
}

// session returns one on a node whose Pacemaker answers, preferring a node
// that has quorum.
func (e *Engine) session(ctx context.Context) (*session, error) {
	s := &session{engine: e}
	s.look = s.examine
	return s, s.connect(ctx)
}

// glance is session for what needs not know how services are: of the state, the
// view has the nodes only.
func (e *Engine) glance(ctx context.Context) (*session, error) {
	s := &session{engine: e}
	s.look = s.glance
	return s, s.connect(ctx)
}

func (s *session) connect(ctx context.Context) error {
	var tried []error
	var inquorate *remote.Client
	skip := map[string]bool{}
	for len(skip) < len(s.engine.nodes) {
		client, err := s.anyBut(ctx, skip, inquorate != nil)
		if err != nil {
			tried = append(tried, err)
			break
		}
		s.client = client
		skip[client.Name()] = true
		begin := time.Now()
		s.view, err = s.look(ctx)
		s.took = time.Since(begin)
		switch {
		case err == nil && s.view.mon.DC.Quorum:
			return nil
		case err == nil:
			inquorate = client
		case ctx.Err() != nil:
			return err
		default:
			tried = append(tried, err)
		}
	}
	if inquorate != nil {
		var err error
		s.client = inquorate
		s.view, err = s.look(ctx)
		return err
	}
	return cluster.WithHint(
		fmt.Errorf("no node of cluster %q answers for it: %w", s.engine.spec.Name, errors.Join(tried...)),
		"boot completes and repairs a cluster: sirikata-cluster nodes boot %s", s.engine.spec.Name)
}

// inquoratePatience is how long a node that has quorum is looked for once
// another has answered: nodes that are down would take a connection's whole
// time-out each.
const inquoratePatience = time.Second

func (s *session) anyBut(ctx context.Context, skip map[string]bool, hurry bool) (*remote.Client, error) {
	if !hurry {
		return s.engine.pool.Any(ctx, skip)
	}
	ctx, cancel := context.WithTimeout(ctx, inquoratePatience)
	defer cancel()
	return s.engine.pool.Any(ctx, skip)
}

// examine asks for all of the view at once.
func (s *session) examine(ctx context.Context) (view, error) { return s.viewBy(ctx, s.state) }

// glance asks for the view, but for how services are.
func (s *session) glance(ctx context.Context) (view, error) { return s.viewBy(ctx, s.nodes) }

func (s *session) viewBy(ctx context.Context, state func(context.Context) (cib.Mon, error)) (v view, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { v.mon, err = state(ctx); return err })
	group.Go(func() (err error) { v.resources, err = s.definitions(ctx); return err })
	group.Go(func() (err error) { v.transient, err = s.attributes(ctx); return err })
	return v, group.Wait()
}

// errNotRunning says that a node answers and its Pacemaker does not.
var errNotRunning = errors.New("pacemaker does not run")

// exitNoProgram is a shell's exit status for a program that is not there: the node
// was never booted.
const exitNoProgram = 127

// ask runs a command that only reads.
func (s *session) ask(ctx context.Context, argv ...string) ([]byte, error) {
	out, err := s.client.Output(ctx, argv...)
	switch remote.ExitCode(err) {
	case cib.ExitNotConnected:
		return nil, fmt.Errorf("%w on %s", errNotRunning, s.client.Name())
	case exitNoProgram:
		return nil, fmt.Errorf("%w on %s: it is not installed there", errNotRunning, s.client.Name())
	}
	return out, err
}

// state asks for the state of the cluster.
func (s *session) state(ctx context.Context) (cib.Mon, error) {
	out, err := s.ask(ctx, cib.AskMon()...)
	if err != nil {
		return cib.Mon{}, err
	}
	return cib.ParseMon(out)
}

// nodes asks which nodes are online.
func (s *session) nodes(ctx context.Context) (cib.Mon, error) {
	out, err := s.ask(ctx, cib.AskNodes()...)
	if err != nil {
		return cib.Mon{}, err
	}
	return cib.ParseGlance(out)
}

// definitions asks for the definitions of all services.
func (s *session) definitions(ctx context.Context) (cib.Resources, error) {
	out, err := s.ask(ctx, cib.AskResources()...)
	if err != nil {
		return cib.Resources{}, err
	}
	return cib.ParseResources(out)
}

// attributes asks for the transient attributes of all nodes.
func (s *session) attributes(ctx context.Context) ([]byte, error) {
	out, err := s.ask(ctx, "cibadmin", "--query", "--xpath", cib.TransientXPath)
	if remote.ExitCode(err) == cib.ExitNoSuch {
		return nil, nil
	}
	return out, err
}

// create adds primitives in one transaction; cluster.ErrServiceExists if any of
// the ids is taken, and then none is added.
func (s *session) create(ctx context.Context, primitives []cib.Primitive) error {
	err := s.write(ctx, cib.Resources{Primitives: primitives}, "--create")
	if remote.ExitCode(err) == cib.ExitExists {
		return cluster.ErrServiceExists
	}
	return err
}

// modify writes the given parts of primitives over what is there.
func (s *session) modify(ctx context.Context, part any) error { return s.write(ctx, part, "--modify") }

func (s *session) write(ctx context.Context, part any, how string) error {
	text, err := xml.Marshal(part)
	if err != nil {
		return fmt.Errorf("encode resources: %w", err)
	}
	_, err = s.client.Run(ctx, remote.Command{
		Argv:  []string{"cibadmin", how, "--scope", "resources", "--xml-pipe"},
		Stdin: bytes.NewReader(text),
	})
	return err
}

// delete removes services in one transaction; ones that are gone are not an
// error.
func (s *session) delete(ctx context.Context, ids []string) error {
	_, err := s.client.Output(ctx, "cibadmin", "--delete-all", "--force", "--xpath", cib.ServicesXPath(ids))
	if remote.ExitCode(err) == cib.ExitNoSuch {
		return nil
	}
	return err
}

// poll looks at the cluster until done says so or ctx ends. A node that stops
// answering, or whose Pacemaker stops, is replaced by another.
func (s *session) poll(ctx context.Context, done func(cib.Mon) (bool, error)) error {
	for {
		begin := time.Now()
		mon, err := s.state(ctx)
		took := time.Since(begin)
		gone := errors.Is(err, remote.ErrUnreachable) || errors.Is(err, errNotRunning)
		if gone && ctx.Err() == nil {
			// The next one may go as well, before it has answered.
			if err = s.connect(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		if finished, err := done(mon); finished || err != nil {
			return err
		}
		// Many operators at once must not keep a node busy with their questions.
		if err := engine.Pause(ctx, max(pollPause, 2*took)); err != nil {
			return err
		}
	}
}

// forgetLeftovers makes the cluster forget failures of services that are not
// there any more, as far as they stand among the transient attributes.
func (s *session) forgetLeftovers(ctx context.Context, ids []string, transient []byte) error {
	leftovers, err := cib.ParseLeftovers(transient, ids)
	if err != nil {
		return err
	}
	return remote.Each(ctx, leftovers, 4, func(ctx context.Context, leftover cib.Leftover) error {
		_, err := s.client.Output(ctx, "attrd_updater", "--delete", "--name", leftover.Name,
			"--node", s.view.mon.NodeName(leftover.NodeID))
		return err
	})
}
