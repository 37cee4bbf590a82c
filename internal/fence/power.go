package fence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// power is power over the machines of one cluster, by the names of its nodes.
type power struct {
	engine engine
	log    func(format string, args ...any)

	mutex sync.Mutex
	busy  map[int]chan struct{} // has room for the one who switches that machine
}

const (
	// offPause is between two looks whether a killed machine is off.
	offPause = 20 * time.Millisecond
	// startLimit bounds the start of a machine after a reboot was answered.
	startLimit = 60 * time.Second
)

// do performs a request. ctx bounds it.
func (p *power) do(ctx context.Context, req request) (answer, error) {
	switch req.Action {
	case monitor:
		return answer{Did: "can reach the engine"}, p.engine.ping(ctx)
	case list:
		return p.list(ctx)
	default:
	}
	index, err := indexOf(req.Plug)
	if err != nil {
		return answer{}, err
	}
	switch req.Action {
	case status:
		on, err := p.on(ctx, index)
		return answer{On: on}, err
	case on:
		return p.switchOn(ctx, index)
	case off:
		return p.switchOff(ctx, index)
	case reboot:
		return p.reboot(ctx, index)
	default:
		return answer{}, fmt.Errorf("%q is not an action of this service", req.Action)
	}
}

func (p *power) list(ctx context.Context) (answer, error) {
	nodes, err := p.engine.containers(ctx, -1)
	var names []string
	for _, index := range slices.Sorted(maps.Keys(nodes)) {
		names = append(names, cluster.NodeName(index))
	}
	return answer{Nodes: names}, err
}

// indexOf is the index of a node. A word that is no node's name must be an error:
// "there is no such machine" counts as off.
func indexOf(name string) (int, error) {
	index, err := strconv.Atoi(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz"))
	if err != nil || index < 0 || index >= cluster.MaxSize || cluster.NodeName(index) != name {
		return 0, fmt.Errorf("%q is not the name of a node", name)
	}
	return index, nil
}

// on asks whether a machine is on.
func (p *power) on(ctx context.Context, index int) (bool, error) {
	ids, err := p.running(ctx, index)
	return len(ids) > 0, err
}

// running returns those containers of a node that run: one, or none.
func (p *power) running(ctx context.Context, index int) ([]string, error) {
	nodes, err := p.engine.containers(ctx, index)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, id := range nodes[index] {
		on, err := p.engine.running(ctx, id)
		if err != nil {
			return nil, err
		}
		if on {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (p *power) switchOn(ctx context.Context, index int) (answer, error) {
	release, err := p.only(ctx, index)
	if err != nil {
		return answer{}, err
	}
	defer release()
	nodes, err := p.engine.containers(ctx, index)
	if err != nil {
		return answer{}, err
	}
	if len(nodes[index]) == 0 {
		return answer{}, errors.New("there is no machine of that name any more")
	}
	on, err := p.on(ctx, index)
	if err != nil || on {
		return answer{Did: "was on already"}, err
	}
	return answer{Did: "is switched on"}, p.start(ctx, nodes[index])
}

func (p *power) start(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if err := p.engine.start(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (p *power) switchOff(ctx context.Context, index int) (answer, error) {
	release, err := p.only(ctx, index)
	if err != nil {
		return answer{}, err
	}
	defer release()
	killed, err := p.kill(ctx, index)
	if err != nil || len(killed) == 0 {
		return answer{Did: "was off already"}, err
	}
	return answer{Did: "was killed and is off"}, nil
}

// reboot kills a machine and starts it again, but leaves one off that was off:
// whoever switched it off wants it so. It returns when the machine is off, which
// is all that the others wait for, and starts it after that.
func (p *power) reboot(ctx context.Context, index int) (answer, error) {
	release, err := p.only(ctx, index)
	if err != nil {
		return answer{}, err
	}
	killed, err := p.kill(ctx, index)
	if err != nil || len(killed) == 0 {
		release()
		return answer{Did: "was off already and stays so"}, err
	}
	go func() {
		defer release() // not before: one who switches it off now must find it on
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startLimit)
		defer cancel()
		if err := p.start(ctx, killed); err != nil {
			p.log("start %s after its reboot: %v", cluster.NodeName(index), err)
		}
	}()
	return answer{Did: "was killed and starts again"}, nil
}

// kill switches a machine off and returns, when the engine says that it is, what
// ran.
func (p *power) kill(ctx context.Context, index int) (killed []string, err error) {
	for {
		ids, err := p.running(ctx, index)
		if err != nil || len(ids) == 0 {
			return killed, err
		}
		if killed != nil { // and the engine has not noticed yet
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("it was killed and the engine still says that it runs: %w", context.Cause(ctx))
			case <-time.After(offPause):
			}
		}
		killed = ids
		for _, id := range ids {
			if err := p.engine.kill(ctx, id); err != nil {
				return nil, err
			}
		}
	}
}

// only waits until nobody else switches that machine.
func (p *power) only(ctx context.Context, index int) (release func(), err error) {
	p.mutex.Lock()
	busy := p.busy[index]
	if busy == nil {
		busy = make(chan struct{}, 1)
		p.busy[index] = busy
	}
	p.mutex.Unlock()
	select {
	case busy <- struct{}{}:
		return func() { <-busy }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("it is still being switched for somebody else: %w", context.Cause(ctx))
	}
}
