package pacemaker

import (
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/cib"
	"github.com/sirikata/sirikata-cluster/internal/engine"
)

// cleanup is the command that makes Pacemaker manage a service again.
func cleanup(id string) write {
	return write{line: "crm_resource --cleanup --resource service-" + id}
}

// modification is the command that restarts services of generation 0.
func modification(t *testing.T, file string, ids ...string) write {
	t.Helper()
	var changed cib.Change
	for _, id := range ids {
		if err := changed.Restart(recordedPrimitive(t, file, id)); err != nil {
			t.Fatal(err)
		}
	}
	return write{line: modify, stdin: string(marshal(t, changed))}
}

// TestRestart waits for another run of a service that ran all the time.
func TestRestart(t *testing.T) {
	before, after := state(t, "running", "running"), state(t, "running", "running")
	before.writes = []write{modification(t, "running", "run", "pinned")}
	again := altered(t, after.mon[0], `call="6" task="start"`, `call="16" task="start"`)
	again = altered(t, again, `call="10" task="start"`, `call="20" task="start"`)
	after.mon = append(after.mon, again)
	f := newFake(t, 3, before, after)
	restarted, err := f.engine.Restart(within(t), []string{"run", "pinned"})
	if err != nil {
		t.Fatal(err)
	}
	if len(restarted) == 2 && restarted[0].ID == "pinned" {
		restarted[0], restarted[1] = restarted[1], restarted[0]
	}
	wantAdded(t, restarted, engine.Added{ID: "run", Node: "node0"}, engine.Added{ID: "pinned", Node: "node2"})
}

// TestRestartForgets restarts a service that failed once and runs, without a
// clean-up, which would race with its start, and forgets the failure.
func TestRestartForgets(t *testing.T) {
	before, after := state(t, "restarted", "restarted"), state(t, "restarted", "restarted")
	before.writes = []write{modification(t, "restarted", "once")}
	// For a moment Pacemaker knows of no start.
	started := `<operation_history call="22" task="start" rc="0" rc_text="ok" last-rc-change="Tue Nov 24 10:31:59 2026" ` +
		`exec-time="284ms" queue-time="0ms"/>`
	unknown := altered(t, after.mon[0], started, "")
	after.mon = append(after.mon, unknown, altered(t, after.mon[0], `call="22" task="start"`, `call="32" task="start"`))
	after.transient = recorded(t, "transient-one")
	after.writes = []write{
		{line: "attrd_updater --delete --name 'last-failure-service-once#monitor_1000' --node node0"},
		{line: "attrd_updater --delete --name 'fail-count-service-once#monitor_1000' --node node0"},
	}
	last := state(t, "restarted", "restarted")
	last.mon = nil
	f := newFake(t, 3, before, after, last)
	restarted, err := f.engine.Restart(within(t), []string{"once"})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, restarted, engine.Added{ID: "once", Node: "node0"})
}

// TestRestartGivenUp makes Pacemaker start a service that failed everywhere. The
// failures of before are shown a little longer, and are not taken for new ones.
func TestRestartGivenUp(t *testing.T) {
	before, after := state(t, "start-failed", "start-failed"), state(t, "start-failed", "start-failed")
	before.writes = []write{cleanup("bad")}
	runs := altered(t, recorded(t, "mon-running"), `id="service-run" resource_agent`, `id="service-bad" resource_agent`)
	runs = altered(t, runs, `resource_history id="service-run"`, `resource_history id="service-bad"`)
	after.mon = append(after.mon, runs)
	f := newFake(t, 3, before, after)
	restarted, err := f.engine.Restart(within(t), []string{"bad"})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, restarted, engine.Added{ID: "bad", Node: "node0"})
}

func TestRestartFailsAgain(t *testing.T) {
	before, after := state(t, "start-failed", "start-failed"), state(t, "start-failed", "start-failed")
	before.writes = []write{cleanup("bad")}
	after.mon = append(after.mon, altered(t, after.mon[0],
		`exitreason="exited with status 3 after 5ms; it last printed: no world to load" exitcode="1" call="12"`,
		`exitreason="exited with status 4 after 9ms" exitcode="1" call="42"`))
	after.logs = map[string]string{
		"node0: journalctl --no-pager --quiet --output=cat --lines=10 --since=@1795516311 _SYSTEMD_UNIT=sirikata-bad.service": "no world"}
	f := newFake(t, 3, before, after)
	restarted, err := f.engine.Restart(within(t), []string{"bad"})
	wantError(t, err, `restart service "bad": it does not run: start on node0: exited with status 4 after 9ms`)
	wantAdded(t, restarted)
}

// TestRestartBlocked has a service that could not be stopped: it is managed
// again before it is restarted, and not restarted before that is seen.
func TestRestartBlocked(t *testing.T) {
	before, unblocking, after := state(t, "blocked", "blocked"), state(t, "blocked", "blocked"), state(t, "blocked", "blocked")
	before.writes = []write{cleanup("stuck")}
	healthy := altered(t, before.mon[0], `blocked="true" managed="false" failed="true"`, `blocked="false" managed="true" failed="false"`)
	unblocking.mon = append(unblocking.mon, healthy)
	unblocking.writes = []write{modification(t, "blocked", "stuck")}
	after.mon = []string{healthy, altered(t, healthy, `call="14" task="monitor"`, `call="24" task="start"`)}
	f := newFake(t, 3, before, unblocking, after)
	restarted, err := f.engine.Restart(within(t), []string{"stuck"})
	if err != nil {
		t.Fatal(err)
	}
	wantAdded(t, restarted, engine.Added{ID: "stuck", Node: "node1"})
}

func TestRestartMissing(t *testing.T) {
	f := newFake(t, 3, state(t, "running", "running"))
	_, err := f.engine.Restart(within(t), []string{"run", "none"})
	wantError(t, err, `service "none" is not in cluster "world"`)
}

func TestRestartWaitingForItsNode(t *testing.T) {
	before, after := state(t, "node-killed", "four"), state(t, "node-killed", "four")
	before.writes = []write{modification(t, "four", "pinned")}
	f := newFake(t, 3, before, after)
	_, err := f.engine.Restart(within(t), []string{"pinned"})
	wantError(t, err, `restart service "pinned": it does not run: waits for node2, which is offline`)
}
