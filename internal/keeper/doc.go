// Package keeper is what sirikata-node does on a host for the engine direct:
// it starts services, watches and stops them, without root, systemd or anything
// else installed.
//
// Each service has a keeper, a process of this program that is the parent of all
// of the service's processes, however they fork. It collects how the service
// ended, bounds its log and, asked by SIGTERM, ends all of its processes. It
// decides nothing: a service whose keeper was killed runs on, and is known by the
// id and start time of its process. What is known of a service stands in files of
// its own directory; the answer to a question is read from them and from /proc,
// so nothing has to run while no service does.
//
// It must not start again what died, nor look at the services of other nodes,
// whose directories a shared home directory may show.
//
// Beside that it holds what the resource agent (package agent) and this engine
// share: accounts, the words in commands, how an ending reads.
//
// Start at [Serve], then start.go and keeper.go.
//
// What decides here: proc(5), credentials(7), prctl(2) PR_SET_CHILD_SUBREAPER,
// flock(2), pidfd_send_signal(2).
package keeper
