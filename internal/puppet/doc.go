// Package puppet configures a node: it holds the Puppet modules, makes the data
// of one node, and applies both over SSH, without a Puppet master.
//
// Puppet owns every configuration file on a node. Go only computes data; what a
// file looks like stands in modules/sirikata alone. The classes get their data
// by Hiera's automatic parameter lookup and know nothing of the masterless mode,
// so a puppetserver can serve them as they are. They use no facts of the host:
// the masterless mode does not collect any.
//
// It must not start, stop or reload a daemon: that is done on all nodes at the
// same moment, by package form. Only a host that is restored is stopped here.
//
// A host that the user has is recorded before anything is changed on it
// ([Prepare]), and left as the record says at the end ([Restore]). touched.go lists
// what is changed: whatever a class or Go writes has to stand there.
//
// Start at [Apply] and modules/sirikata/manifests/init.pp.
package puppet
