// Command bench measures what the README says of speed: the same work done by
// sirikata-cluster and by a peer, on the same cluster, in one run. It prints
// tables in Markdown. It needs root, a container engine and bin/sirikata-cluster
// (make build), and an otherwise idle machine.
//
//	go run ./bench                               three nodes, beside peers
//	go run ./bench -large                        many nodes and services, half an hour
//	go run ./bench -only=three,seven,twelve      that in two parts
//	go run ./bench -only=many,generated
//	go run ./bench -only=ssh,package,sync        commands of operators, beside peers
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// bench is one run.
type bench struct {
	runs     int
	nodes    int // of the large cluster
	services int // that it gets at once
	idleFor  time.Duration
	peers    bool
	image    string
	rows     []row
}

// stage is a part of a run. It makes its own cluster, and takes it down.
type stage struct {
	name  string
	large bool // not part of a run that names nothing
	run   func() error
}

func (b *bench) stages() []stage {
	return []stage{
		{"small", false, b.small},
		{"three", true, b.threeNodes},
		{"seven", true, b.sevenNodes},
		{"twelve", true, b.twelveNodes},
		{"many", true, b.large},
		{"generated", true, b.simulated},
		{"package", true, b.packaging},
		{"sync", true, b.syncing},
		{"ssh", true, b.ssh},
	}
}

func main() {
	b := &bench{}
	var large bool
	var only string
	flag.IntVar(&b.runs, "runs", 7, "runs of each measurement")
	flag.BoolVar(&large, "large", false, "only what concerns many nodes and services: all stages but small")
	flag.StringVar(&only, "only", "", "only these stages, with commas: "+strings.Join(names(b.stages()), ", "))
	flag.IntVar(&b.nodes, "nodes", 43, "nodes of stage many")
	flag.IntVar(&b.services, "services", 200, "services that stage many adds at once")
	flag.DurationVar(&b.idleFor, "idle", time.Minute, "how long stage many leaves the cluster alone, to see what it uses")
	flag.BoolVar(&b.peers, "peers", true, "measure peers as well")
	flag.Parse()
	chosen, err := choose(b.stages(), large, only)
	if err == nil {
		err = b.all(chosen)
		b.print() // what there is, also after an error
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names(stages []stage) []string {
	var all []string
	for _, s := range stages {
		all = append(all, s.name)
	}
	return all
}

// choose are the stages that were asked for.
func choose(all []stage, large bool, only string) ([]stage, error) {
	if only == "" {
		return slices.DeleteFunc(all, func(s stage) bool { return s.large != large }), nil
	}
	wanted := strings.Split(only, ",")
	for _, name := range wanted {
		if !slices.Contains(names(all), name) {
			return nil, fmt.Errorf("%q is not a stage: use %s", name, strings.Join(names(all), ", "))
		}
	}
	return slices.DeleteFunc(all, func(s stage) bool { return !slices.Contains(wanted, s.name) }), nil
}

// all goes through the stages, those after one that fails as well. Clusters are
// taken down on the way out.
func (b *bench) all(stages []stage) error {
	home, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(home) }()
	if err := os.Setenv("SIRIKATA_CLUSTER_HOME", home); err != nil {
		return err
	}
	if b.image, err = program("local", "image", "build"); err != nil {
		return err
	}
	var faults []error
	for _, s := range stages {
		takeDown()
		if err := s.run(); err != nil {
			faults = append(faults, fmt.Errorf("stage %s: %w", s.name, err))
		}
		takeDown()
	}
	return errors.Join(faults...)
}

// small are the measurements on three nodes. The first makes the cluster for the
// others.
func (b *bench) small() error {
	return inTurn(b.start, b.boot, b.add, b.parallel, func() error { return b.redis() }, b.monitor, b.death, b.failover)
}

// inTurn measures one after the other, until one fails.
func inTurn(measures ...func() error) error {
	for _, measure := range measures {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}
