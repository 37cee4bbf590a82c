// Package referee judges whether a service ever ran twice.
//
// Each service of a drill is a [Holder]: a process that works for as long as it
// lives and says so, some forty times a second, to a [Referee] outside the
// cluster. Every process has an incarnation, a random number, so that two
// copies of a service differ although they have the same name.
//
// # What is judged
//
// In the eyes of a process the lease on its service is its own from its first
// beat to its last, and also in between, when it was frozen: it wakes up and
// goes on where it was. So a lease was held twice ([Double]) if two
// incarnations of one service have lives that overlap: the older one still
// worked after the younger one had begun. A process that was frozen, replaced,
// and killed before it woke has not.
//
// That a connection is open proves nothing in either direction, and neither
// does when a beat arrives: it may have lain in a socket's buffer since before
// its sender was frozen or killed. So each beat carries the time at which the
// work was done, by CLOCK_BOOTTIME. All nodes are containers on one machine and
// share its kernel, so the times of all of them are on one clock, and the order
// of arrival does not matter.
//
// Two copies that relieve each other within one pause between two beats
// ([BeatPause]) are not seen.
//
// The referee only watches. It refuses a lease to nobody, because a cluster
// that is kept from a second copy by its services' lock would not be tested.
//
// Start at judge.go.
package referee
