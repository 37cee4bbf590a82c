package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

// look finds all services of the node, and what they do. A record that cannot be
// read does not hide the others.
func (n *node) look(answer *protocol.Answer) error {
	ids, err := n.dir.ids()
	if err != nil {
		return err
	}
	for _, id := range ids {
		record, ok, err := n.dir.record(id)
		switch {
		case err != nil:
			answer.Warnings = append(answer.Warnings, err.Error())
		case ok && record.Service.ID == id && record.Node == n.request.Node.Name:
			answer.Services = append(answer.Services, n.state(record))
		}
	}
	return nil
}

// settleWait is how long a keeper may take to write down that a service ended.
const settleWait = 300 * time.Millisecond

// state says what a service does.
func (n *node) state(record record) protocol.Service {
	service := protocol.Service{Definition: record.Service, State: cluster.Stopped}
	if record.Claim != "" {
		service.Claim = record.Claim
		service.AgeMS = max(time.Since(record.Added).Milliseconds(), 0)
		service.Reason = "it was not started: the command that adds it is not done, or was interrupted"
		return service
	}
	r, ok, err := n.dir.run(record.Service.ID)
	switch {
	case err != nil:
		service.Reason = err.Error()
		return service
	case !ok:
		service.Reason = "it was never started"
		return service
	}
	if r.Boot == n.boot && !r.Ended && !r.Main.alive() && r.Started {
		// It died this moment, or its keeper did before it.
		for end := time.Now().Add(settleWait); !r.Ended; time.Sleep(pollPause) {
			// What it wrote before its own end is read after that.
			last := !r.Keeper.alive() || !time.Now().Before(end)
			if again, ok, err := n.dir.run(record.Service.ID); ok && err == nil {
				r = again
			}
			if last {
				break
			}
		}
	}
	n.judge(&service, r)
	return service
}

// judge says what a run means.
func (n *node) judge(service *protocol.Service, r run) {
	service.Run = r.ID
	host, _ := os.Hostname() // only to say more
	switch {
	case r.Ended && r.Reason == "":
		service.Reason = "it was stopped"
	case r.Ended:
		service.State, service.Failures, service.Reason = cluster.Failed, 1, r.Reason
	case r.Boot != n.boot && r.Host != host:
		service.Reason = fmt.Sprintf("it ran on a host that called itself %q, and this one is %q", r.Host, host)
	case r.Boot != n.boot:
		service.Reason = "the host was restarted: restart service starts it again"
	case r.Main.alive() && r.Started:
		service.State = cluster.Running
	case r.Keeper.alive() && !r.Started:
		service.State = cluster.Starting
	default:
		service.State, service.Failures = cluster.Failed, 1
		service.Reason = "it ended, and how is not known: its keeper was killed before it"
	}
	if service.State != cluster.Running {
		service.Run = ""
	}
}

// leave removes what is kept for the node, and with the last node of the cluster
// that is kept here what they share.
func (n *node) leave() error {
	ids, err := n.dir.ids()
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		return fmt.Errorf("it still has services: %s", strings.Join(ids, ", "))
	}
	if err := os.RemoveAll(n.dir.path); err != nil {
		return err
	}
	entries, err := os.ReadDir(n.request.Directory)
	if err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].Name() != protocol.ProgramDirectory {
		return err
	}
	if err := os.RemoveAll(n.request.Directory); err != nil {
		return err
	}
	// Another cluster may have something there.
	_ = os.Remove(filepath.Dir(n.request.Directory))
	return nil
}
