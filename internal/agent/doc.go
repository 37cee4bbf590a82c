// Package agent is the whole of sirikata-node, the program on every node: the
// OCF resource agent ocf:sirikata:service, through which Pacemaker starts,
// stops and watches services; the guard; and the refill of services' candidates.
// The other uses of the program, which Main tells apart, are in the packages fence
// and keeper.
//
// Each service runs in a transient systemd unit, so that it has its own control
// group, journal and limits. The agent keeps no process of its own: it is
// started by Pacemaker for one action and ends with its answer. What it must
// remember is in systemd, and one small file per service says which start was
// already checked.
//
// It must not decide where a service runs or whether it is started again: that
// is Pacemaker's. It must not depend on the operator's machine or on the other
// nodes.
//
// Start at [Main], then action in ocf.go, then start.go and monitor.go.
//
// What decides here: Open Cluster Framework Resource Agent API 1.1,
// "Pacemaker Administration" (resource agents), systemd.service(5),
// systemd.exec(5), systemd.kill(5), org.freedesktop.systemd1(5).
package agent
