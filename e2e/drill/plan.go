package drill

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Cluster is what a plan is made for.
type Cluster struct {
	Nodes    []Node
	Services []string
	Fencing  bool
}

// String is the cluster in words.
func (c Cluster) String() string {
	roles := map[cluster.Role]int{}
	for _, node := range c.Nodes {
		roles[node.Role]++
	}
	fencing := map[bool]string{true: "on", false: "off"}[c.Fencing]
	return fmt.Sprintf("%d full and %d remote nodes, %d services, fencing %s", roles[cluster.Full], roles[cluster.Remote], len(c.Services), fencing)
}

// Node is a node that faults may hit.
type Node struct {
	Name string
	Role cluster.Role
}

// Part is one kind of fault that hits one thing.
type Part struct {
	Kind Kind
	// Node is what it hits, or empty if it hits Service where that runs.
	Node    string
	Service string
	Lasts   time.Duration // 0 for what is over at once
}

// Fault is what happens at once, and is then to be got over.
type Fault struct {
	Number int // from 1
	Parts  []Part
	// Apart is for how long after the first part the second one begins.
	Apart time.Duration
}

// Plan makes n faults. The same seed makes the same of the same cluster: what
// is hit does not depend on what the cluster does. (Only where a service is hit
// does: where it runs.)
//
// Kinds are dealt like cards: each comes once before any comes again. "Two at
// once" is a card as well; it is there if the cluster can get over two.
func Plan(seed uint64, n int, c Cluster) []Fault {
	p := planner{Cluster: c, random: rand.New(rand.NewPCG(seed, 0))}
	for _, kind := range catalogue() {
		if len(p.nodes(kind)) > 0 || kind.OfService {
			p.kinds = append(p.kinds, kind)
		}
	}
	var deck []int // places in kinds; one more for two at once
	var faults []Fault
	for number := range n {
		if len(deck) == 0 {
			deck = p.random.Perm(len(p.kinds) + 1)
		}
		f := Fault{Number: number + 1}
		if deck[0] < len(p.kinds) {
			f.Parts = []Part{p.part(p.kinds[deck[0]])}
		} else {
			f.Parts, f.Apart = p.two()
		}
		deck = deck[1:]
		faults = append(faults, f)
	}
	return faults
}

type planner struct {
	Cluster
	random *rand.Rand
	kinds  []Kind // those that can hit anything here
}

// nodes are those that a kind can hit.
func (p planner) nodes(k Kind) (found []Node) {
	for _, node := range p.Nodes {
		if k.hits(node.Role) {
			found = append(found, node)
		}
	}
	return found
}

func (p planner) part(k Kind) Part {
	part := Part{Kind: k}
	if k.OfService {
		part.Service = p.Services[p.random.IntN(len(p.Services))]
	} else {
		nodes := p.nodes(k)
		part.Node = nodes[p.random.IntN(len(nodes))].Name
	}
	if k.Longest > 0 {
		part.Lasts = k.Shortest + time.Duration(p.random.Int64N(int64(k.Longest-k.Shortest)+1)).Round(100*time.Millisecond)
	}
	return part
}

// two are parts that hit different things and leave the cluster its quorum.
func (p planner) two() ([]Part, time.Duration) {
	for {
		a := p.part(p.kinds[p.random.IntN(len(p.kinds))])
		b := p.part(p.kinds[p.random.IntN(len(p.kinds))])
		if (a.Node != b.Node || a.Service != b.Service) && p.leavesQuorum(a, b) {
			return []Part{a, b}, time.Duration(p.random.Int64N(int64(3 * time.Second))).Round(100 * time.Millisecond)
		}
	}
}

// leavesQuorum reports whether more than half of the full nodes are left, at
// the worst.
func (p planner) leavesQuorum(parts ...Part) bool {
	voters, lost := 0, 0
	for _, node := range p.Nodes {
		if node.Role != cluster.Full {
			continue
		}
		voters++
		if slices.ContainsFunc(parts, func(part Part) bool { return part.Kind.Loses && part.Node == node.Name }) {
			lost++
		}
	}
	return voters-lost > voters/2
}

// String is the part in words.
func (p Part) String() string {
	text := fmt.Sprintf("%s on %s", p.Kind.Name, p.Node)
	if p.Kind.OfService {
		text = fmt.Sprintf("%s %s", p.Kind.Name, p.Service)
	}
	if p.Lasts > 0 {
		text += fmt.Sprintf(" for %.1f s", p.Lasts.Seconds())
	}
	return text
}

// String is the fault in words.
func (f Fault) String() string {
	var parts []string
	for _, p := range f.Parts {
		parts = append(parts, p.String())
	}
	return strings.Join(parts, fmt.Sprintf(", and %.1f s later ", f.Apart.Seconds()))
}
