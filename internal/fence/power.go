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
	busy  map[int]chan struct{}      // has room for the one who switches that machine
	later map[int]context.CancelFunc // calls off the start of a machine that is off and will start again
}

// offPause is between two looks whether a killed machine is off.
const offPause = 20 * time.Millisecond

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
		return p.reboot(ctx, index, time.Duration(req.Wait)*time.Second)
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
	p.callOff(index)
	nodes, err := p.engine.containers(ctx, index)
	if err != nil {
		return answer{}, err
	}
	if len(nodes[index]) == 0 {
		return answer{}, errors.New("there is no machine of that name any more")
	}
	on, err := p.on(ctx, index)
	switch {
	case err != nil:
		return answer{}, err
	case on:
		return answer{Did: "was on already"}, nil
	}
	return answer{Did: "is switched on"}, p.start(ctx, nodes[index])
}

func (p *power) switchOff(ctx context.Context, index int) (answer, error) {
	release, err := p.only(ctx, index)
	if err != nil {
		return answer{}, err
	}
	defer release()
	p.callOff(index)
	killed, err := p.kill(ctx, index)
	switch {
	case err != nil:
		return answer{}, err
	case len(killed) == 0:
		return answer{Did: "was off already"}, nil
	}
	return answer{Did: "was killed and is off"}, nil
}

// kill switches a machine off and returns, when the engine says that it is, what
// ran.
func (p *power) kill(ctx context.Context, index int) (killed []string, err error) {
	for {
		ids, err := p.running(ctx, index)
		if err != nil {
			return nil, fmt.Errorf("it is not known to be off: %w", err)
		}
		if len(ids) == 0 {
			return killed, nil
		}
		if killed != nil { // and the engine has not noticed yet
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("it is not known to be off: it was killed, and the engine says that it runs: %w", context.Cause(ctx))
			case <-time.After(offPause):
			}
		}
		killed = ids
		for _, id := range ids {
			if err := p.engine.kill(ctx, id); err != nil {
				return nil, fmt.Errorf("it is not known to be off: %w", err)
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
