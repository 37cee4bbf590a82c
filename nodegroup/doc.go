// Package nodegroup manages clusters: create a spec, boot its nodes, run
// services on them, take everything down. It is the same for every type of
// cluster, and the sirikata-cluster command line is its first user.
//
//	env, err := nodegroup.FromEnv()
//	…
//	ng, err := nodegroup.Open(env, "world")
//	…
//	defer ng.Close()
//	space := ng.SirikataPath() + "/bin/space"
//	added, err := ng.AddServices(ctx, []cluster.Service{{
//		ID: "space", Target: cluster.Any, Failover: true, Monitor: cluster.DefaultMonitor,
//		Command: []string{space, "--pid-file=" + cluster.PIDFileWord},
//	}})
//
// It composes and decides nothing of its own: machines come from a provider,
// package form makes a cluster of them, an engine runs services on it.
//
// Start at [Open].
package nodegroup
