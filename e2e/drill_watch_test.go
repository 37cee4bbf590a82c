//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/e2e/drill"
	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

const (
	watchPause = 300 * time.Millisecond
	// statusLimit is how long status may take, whatever is broken.
	statusLimit = 20 * time.Second
)

// watched is what was seen while a fault was made and got over.
type watched struct {
	witness drill.Witness
	missing []string // what was not well at last
	lies    []string // what status said that was not so, each once
}

// watch asks the cluster again and again, from the beginning of a fault until
// all has been well for a while after its end, or until the deadline after it.
func (d *drillRun) watch(script *faultScript, limit time.Duration) (w watched) {
	var deadline, well time.Time
	w.witness.Services = d.Services
	incarnations := ""
	for {
		finished := isClosed(script.done)
		if finished && deadline.IsZero() {
			deadline = time.Now().Add(limit)
		}
		begin := time.Now()
		w.look(d, finished)
		now := d.incarnations()
		switch {
		case !finished || len(w.missing) > 0 || now != incarnations:
			well = time.Time{}
		case well.IsZero():
			well = begin
		case time.Since(well) >= calm:
			return w
		}
		incarnations = now
		if finished && time.Now().After(deadline) {
			if len(w.missing) == 0 {
				w.missing = []string{"all is well, but not for long enough"}
			}
			return w
		}
		time.Sleep(watchPause)
	}
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// look asks once. How the nodes are is asked only at the end.
func (w *watched) look(d *drillRun, end bool) {
	before := d.referee.View()
	r := d.c.quietly("status", d.c.name, "-o", "json")
	after := d.referee.View()
	if r.took > statusLimit {
		w.lie(fmt.Sprintf("status took %.0f s", r.took.Seconds()))
	}
	var status cluster.Status
	if err := json.Unmarshal([]byte(r.stdout), &status); r.code != 0 || err != nil {
		w.missing = []string{r.String()}
		return
	}
	for _, lie := range w.witness.Lies(status, before, after) {
		w.lie(lie)
	}
	w.missing = d.Missing(status, after)
	if end && len(w.missing) == 0 {
		w.missing = d.missingOnNodes(after)
	}
}

func (w *watched) lie(text string) {
	if !slices.Contains(w.lies, text) {
		w.lies = append(w.lies, text)
	}
}

// incarnations changes when any service is started.
func (d *drillRun) incarnations() string {
	youngest := map[string]string{}
	for _, i := range d.referee.View().Incarnations { // in the order in which they began
		youngest[i.Service] = i.ID
	}
	return fmt.Sprint(youngest)
}

// missingOnNodes says what is not well on the nodes themselves: a daemon that is
// gone for good, a process of a service that the referee does not hear, a node
// that lets nobody in.
func (d *drillRun) missingOnNodes(view referee.View) (missing []string) {
	processes := d.processes()
	for _, node := range d.Nodes {
		for _, daemon := range append(drill.Daemons(node.Role), "sshd") {
			if !strings.Contains(processes[node.Name], "\n"+drill.ProcessName(daemon)+" ") {
				missing = append(missing, fmt.Sprintf("%s does not run on %s", daemon, node.Name))
			}
		}
		for _, id := range d.Services {
			have := strings.Count(processes[node.Name], " "+leaseholder+" "+id+" ")
			want := 0
			for _, i := range view.Working(id, drill.Fresh) {
				if i.Node == node.Name {
					want++
				}
			}
			if have != want {
				missing = append(missing, fmt.Sprintf("%d processes of %s are on %s, and the referee heard %d", have, id, node.Name, want))
			}
		}
	}
	if len(missing) == 0 {
		if r := d.c.quietly("ssh", d.c.name, "--", "true"); r.code != 0 {
			missing = append(missing, r.String())
		}
	}
	return missing
}

// processes are the names and command lines of all processes, one a line, by
// node.
func (d *drillRun) processes() map[string]string {
	var mutex sync.Mutex
	var group sync.WaitGroup
	all := map[string]string{}
	for _, n := range d.c.running() {
		group.Go(func() {
			out, _ := n.try("ps -e -o comm=,args=") // nothing, of a node that just went off
			mutex.Lock()
			defer mutex.Unlock()
			all[n.name] = "\n" + out
		})
	}
	group.Wait()
	return all
}
