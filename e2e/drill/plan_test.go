package drill

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

var update = flag.Bool("update", false, "write the golden files anew")

// of is a cluster of so many nodes of each role, with 12 services.
func of(voters, remotes int) (c Cluster) {
	for i := range voters + remotes {
		role := cluster.Full
		if i >= voters {
			role = cluster.Remote
		}
		c.Nodes = append(c.Nodes, Node{cluster.NodeName(i), role})
	}
	for i := range 12 {
		c.Services = append(c.Services, fmt.Sprintf("lease-%02d", i))
	}
	return c
}

// TestPlanIsReplayed holds the plan of a seed to what it was: a seed from a
// failure of some time ago must still make the same faults.
func TestPlanIsReplayed(t *testing.T) {
	text := ""
	for _, f := range Plan(7, 60, of(5, 2)) {
		text += fmt.Sprintf("%d %v\n", f.Number, f)
	}
	golden := filepath.Join("testdata", "plan-5-2-seed-7.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("seed 7 makes\n%s\nnot\n%s", text, want)
	}
}

func TestPlanBegins(t *testing.T) {
	long := fmt.Sprint(Plan(3, 50, of(5, 2)))
	for n := range 50 {
		if short := fmt.Sprint(Plan(3, n, of(5, 2))); short[:len(short)-1] != long[:len(short)-1] {
			t.Fatalf("%d faults are not the first of 50", n)
		}
	}
	if other := fmt.Sprint(Plan(4, 50, of(5, 2))); other == long {
		t.Error("another seed makes the same")
	}
}

// TestPlanFits makes many plans and looks at every part.
func TestPlanFits(t *testing.T) {
	for _, size := range [][2]int{{1, 0}, {2, 0}, {3, 0}, {3, 1}, {4, 0}, {5, 2}, {7, 36}} {
		c := of(size[0], size[1])
		roles := map[string]cluster.Role{}
		for _, n := range c.Nodes {
			roles[n.Name] = n.Role
		}
		for seed := range uint64(50) {
			for _, f := range Plan(seed, 40, c) {
				lost := map[string]bool{}
				for _, p := range f.Parts {
					if p.Kind.OfService == (p.Service == "") || p.Kind.OfService == (p.Node != "") {
						t.Fatalf("seed %d: %v hits node %q and service %q", seed, f, p.Node, p.Service)
					}
					if !p.Kind.OfService && !p.Kind.hits(roles[p.Node]) {
						t.Fatalf("seed %d: %v hits a %s node", seed, f, roles[p.Node])
					}
					if p.Lasts < p.Kind.Shortest || p.Lasts > p.Kind.Longest {
						t.Fatalf("seed %d: %v lasts %v", seed, f, p.Lasts)
					}
					if (p.Lasts > 0) != (p.Kind.End != Act{}) {
						t.Fatalf("seed %d: %v lasts %v, and is ended by %+v", seed, f, p.Lasts, p.Kind.End)
					}
					if p.Kind.Loses && roles[p.Node] == cluster.Full {
						lost[p.Node] = true
					}
				}
				if len(f.Parts) == 2 && size[0]-len(lost) <= size[0]/2 {
					t.Fatalf("seed %d: %v may lose %d of %d", seed, f, len(lost), size[0])
				}
				if f.Apart < 0 || f.Apart > 3*time.Second || len(f.Parts) < 1 || len(f.Parts) > 2 {
					t.Fatalf("seed %d: %v has %d parts, %v apart", seed, f, len(f.Parts), f.Apart)
				}
			}
		}
	}
}

// TestEachKindComes deals one card after the other.
func TestEachKindComes(t *testing.T) {
	for remotes, cards := range map[int]int{0: 18, 2: 19} {
		counts := map[string]int{}
		two := false
		for _, f := range Plan(5, cards, of(5, remotes)) {
			if len(f.Parts) == 2 {
				two = true
				continue
			}
			counts[f.Parts[0].Kind.Name]++
		}
		for name, n := range counts {
			if n != 1 {
				t.Errorf("with %d remote nodes %q comes %d times", remotes, name, n)
			}
		}
		if !two || len(counts) != cards-1 {
			t.Errorf("with %d remote nodes these come, and two at once (%v): %v", remotes, two, counts)
		}
	}
}

func TestActsAreWhole(t *testing.T) {
	names := map[string]bool{}
	for _, k := range catalogue() {
		if names[k.Name] {
			t.Errorf("there are two of %q", k.Name)
		}
		names[k.Name] = true
		for what, act := range map[string]Act{"begin": k.Begin, "end": k.End} {
			set := 0
			for _, word := range []string{act.Power, act.Engine, act.Script} {
				if word != "" {
					set++
				}
			}
			if want := map[bool]int{true: 1, false: 0}[what == "begin" || k.Longest > 0]; set != want {
				t.Errorf("the %s of %q says %d things, not %d", what, k.Name, set, want)
			}
		}
		if (len(k.Roles) > 0) == k.OfService {
			t.Errorf("%q hits nodes %v, and services: %v", k.Name, k.Roles, k.OfService)
		}
		if (k.Longest > 0) != (k.Shortest > 0) || k.Shortest > k.Longest {
			t.Errorf("%q lasts from %v to %v", k.Name, k.Shortest, k.Longest)
		}
	}
}

func TestClusterTells(t *testing.T) {
	c := of(5, 2)
	c.Fencing = true
	if got, want := c.String(), "5 full and 2 remote nodes, 12 services, fencing on"; got != want {
		t.Errorf("it is %q, not %q", got, want)
	}
}

func TestProcessNames(t *testing.T) {
	for daemon, want := range map[string]string{"corosync": "corosync", "pacemaker-controld": "pacemaker-contr", "pacemaker-schedulerd": "pacemaker-sched"} {
		if got := ProcessName(daemon); got != want {
			t.Errorf("%s is called %q, not %q", daemon, got, want)
		}
	}
}
