package cluster

import (
	"strings"
	"testing"
	"time"
)

func TestWatchdog(t *testing.T) {
	for _, test := range []struct {
		fence string
		want  Watchdog
		fault string
	}{
		{`{"agent":"sbd"}`, Watchdog{"/dev/watchdog", 5 * time.Second}, ""},
		{`{"agent":"sbd","watchdog":"/dev/watchdog1","timeout":"30"}`, Watchdog{"/dev/watchdog1", 30 * time.Second}, ""},
		{`{"agent":"sbd","timeout":"2"}`, Watchdog{}, `fence: timeout: "2" is not a time-out: use 3 to 30, in seconds`},
		{`{"agent":"sbd","timeout":"31"}`, Watchdog{}, "fence: timeout: "},
		{`{"agent":"sbd","timeout":"5s"}`, Watchdog{}, "fence: timeout: "},
		{`{"agent":"sbd","watchdog":"watchdog1"}`, Watchdog{}, `fence: watchdog: "watchdog1" cannot be a watchdog`},
		{`{"agent":"sbd","watchdog":"/dev/watchdog\nSBD_PACEMAKER=no"}`, Watchdog{}, "fence: watchdog: "},
		{`{"agent":"sbd","watchdog_dev":"/dev/watchdog1"}`, Watchdog{}, `fence: watchdog_dev: there is no such parameter of sbd; do you mean "watchdog"?`},
		{`{"agent":"sbd","device":"/dev/sda1"}`, Watchdog{}, "fence: device: there is no such parameter of sbd; the parameters are timeout, watchdog"},
		{`{"agent":"sbdd"}`, Watchdog{}, `"sbdd" cannot be a fence agent`},
	} {
		hosts, _, err := ParseHosts([]string{`{"dns_name":"a","fence":` + test.fence + `}`}, 0, nil)
		switch {
		case test.fault != "":
			if err == nil || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("%s: %v, want %s", test.fence, err, test.fault)
			}
		case err != nil:
			t.Errorf("%s: %v", test.fence, err)
		default:
			if got, is := hosts[0].Fence.Watchdog(); !is || got != test.want {
				t.Errorf("%s: %+v (%v)", test.fence, got, is)
			}
		}
	}
	if _, is := (HostFence{"agent": "fence_x"}).Watchdog(); is {
		t.Error("a fence agent is a watchdog")
	}
}

// TestWatchdogFaults: all of three hosts or more have one, or none, and all are full
// nodes.
func TestWatchdogFaults(t *testing.T) {
	sbd := func(name string) Host { return Host{Name: name, Fence: HostFence{"agent": "sbd"}} }
	seven := []Host{sbd("a"), sbd("b"), sbd("c"), sbd("d"), sbd("e"), sbd("f"), sbd("g")}
	for _, test := range []struct {
		hosts []Host
		full  int
		want  string
	}{
		{seven[:3], 0, ""},
		{seven[:3], 3, ""},
		{seven, 0, ""},
		{append(seven[:7:7], sbd("h")), 0, "with sbd every host must be a full node, and 5 of 8 would be"},
		{seven[:4], 3, "with sbd every host must be a full node, and 3 of 4 would be"},
		{seven[:2], 0, "sbd needs 3 hosts or more"},
		{append(seven[:3:3], Host{Name: "d", Fence: HostFence{"agent": "fence_x"}}), 0, "d: of a cluster with sbd the others take"},
		{append(seven[:3:3], Host{Name: "d"}), 0, "d: nothing would switch it off"},
	} {
		faults := Spec{Engine: Pacemaker, Hosts: test.hosts, FullNodes: test.full}.fenceFaults()
		if test.want == "" && len(faults) == 0 {
			continue
		}
		if len(faults) != 1 || test.want == "" || !strings.HasPrefix(faults[0].Problem, test.want) {
			t.Errorf("%+v: %+v", test.hosts, faults)
		}
	}
}

// TestWatchdogWait is one for all nodes.
func TestWatchdogWait(t *testing.T) {
	spec := Spec{Hosts: []Host{{Fence: HostFence{"agent": "sbd"}}, {Fence: HostFence{"agent": "sbd", "timeout": "12"}}}}
	if wait := spec.WatchdogWait(); wait != 24*time.Second {
		t.Errorf("it is %v", wait)
	}
	if wait := (Spec{Hosts: []Host{{Fence: HostFence{"agent": "fence_x", "timeout": "12"}}}}).WatchdogWait(); wait != 0 {
		t.Errorf("with an agent it is %v", wait)
	}
}
