//go:build lab

package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/e2e/drill"
	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

// faultScript is a fault that is being made.
type faultScript struct {
	done chan struct{} // closed when nothing more will be done
	// What follows may be read when done is closed.
	times    []time.Duration // by the referee's clock, of all that was done
	problems []string        // what could not be done
}

// over is the script of no fault.
func over() *faultScript {
	s := &faultScript{done: make(chan struct{})}
	close(s.done)
	return s
}

// start begins a fault; its parts begin and end in their own time.
func (d *drillRun) start(f drill.Fault) *faultScript {
	type step struct {
		at  time.Duration
		run func() error
	}
	var steps []step
	begins := time.Duration(0)
	for _, part := range f.Parts {
		node := part.Node
		steps = append(steps, step{begins, func() error {
			if part.Kind.OfService {
				return d.hitService(part)
			}
			return d.do(part.Kind.Begin, node, "")
		}})
		if part.Lasts > 0 {
			steps = append(steps, step{begins + part.Lasts, func() error { return spared(d.do(part.Kind.End, node, "")) }})
		}
		begins += f.Apart
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	s := &faultScript{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		begin := time.Now()
		for _, step := range steps {
			time.Sleep(time.Until(begin.Add(step.at))) // how long it lasts is what is tested
			s.times = append(s.times, referee.Now())
			if err := step.run(); err != nil {
				s.problems = append(s.problems, fmt.Sprintf("the lab could not do its part: %v", err))
			}
		}
	}()
	return s
}

// hitService begins a fault of a service where that works. It may work nowhere,
// or be out of reach, because of another fault.
func (d *drillRun) hitService(part drill.Part) error {
	for _, i := range d.referee.View().Working(part.Service, drill.Fresh) {
		return spared(d.do(part.Kind.Begin, i.Node, part.Service))
	}
	d.say("  %s works nowhere at the moment: it is spared", part.Service)
	return nil
}

// container is the node's, or "" if there is none.
func (d *drillRun) container(node string) string {
	for _, n := range d.c.find() {
		if n.name == node {
			return n.container
		}
	}
	return ""
}

func (d *drillRun) do(act drill.Act, node, service string) error {
	container := d.container(node)
	var err error
	switch {
	case act.Power != "":
		if r := d.c.quietly("local", "nodes", act.Power, d.c.name, node); r.code != 0 {
			err = errors.New(r.String())
		}
	case act.Engine != "":
		_, err = docker(act.Engine, container)
	default:
		_, err = docker("exec", "--env", "PEERS="+d.peers[node], "--env", "SERVICE="+service, container, "sh", "-c", act.Script)
	}
	if err != nil {
		return fmt.Errorf("on %s: %w", node, err)
	}
	return nil
}

// spared forgives what cannot be done to a node that is off, starting or frozen:
// one that was fenced meanwhile, or that another fault hit.
func spared(err error) error {
	if err != nil && slices.ContainsFunc([]string{"is not running", "is not paused", "is paused", "is restarting", "error executing setns process",
		"docker exec: exit status 137"}, // which was killed with the node
		func(text string) bool { return strings.Contains(err.Error(), text) }) {
		return nil
	}
	return err
}
