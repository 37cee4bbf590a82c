package puppet

import (
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// testData is the data of a node that is a cluster by itself. Its key holds
// every byte there is, and is not UTF-8.
func testData() Data {
	key := make([]byte, 256)
	for i := range key {
		key[i] = byte(255 - i)
	}
	return Data{
		Node: cluster.NodeFile{
			Cluster: "world", Name: "node0", Role: cluster.Full, FQDN: "node0.example.com", ServiceUser: "sirikata",
			WorkingPath: "/home/sirikata/work", WorkspacePath: "/srv/space with ${blank} & %{facts.x} \"'",
			SirikataPath: "/home/sirikata/sirikata", Capabilities: []string{"redis"},
		},
		Hosts:     []Host{{Name: "node0", Address: "127.0.0.1"}},
		Offers:    []cluster.NodeOffer{{Name: "node0", Capabilities: []string{"redis"}}, {Name: "node1"}},
		RemoteKey: key,
		Guard:     true,
		Corosync: Corosync{
			TokenMilliseconds: 1000, Realtime: true, AuthKey: key,
			Members: []Member{{ID: 1, Name: "node0", Address: "127.0.0.1"}},
		},
		FirstCIB: `<cib validate-with="pacemaker-3.0" admin_epoch="0" epoch="0" num_updates="0"><configuration>` +
			`<crm_config><cluster_property_set id="p"><nvpair id="p-dc" name="dc-deadtime" value="1s"/>` +
			`<nvpair id="p-s" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>` +
			`<nodes/><resources/><constraints/></configuration><status/></cib>` + "\n",
	}
}

// withSecondNode makes it a cluster of two nodes.
func withSecondNode(data Data) Data {
	data.Corosync.TwoNode = true
	data.Hosts = []Host{data.Hosts[0], {Name: "node1", Address: "192.0.2.1"}}
	data.Corosync.Members = []Member{data.Corosync.Members[0], {ID: 2, Name: "node1", Address: "192.0.2.1"}}
	return data
}

// withWatchdog has it switched off by its watchdog.
func withWatchdog(data Data) Data {
	data.Guard = false
	data.Watchdog = cluster.Watchdog{Device: "/dev/watchdog1", Timeout: 6 * time.Second}
	data.WatchdogWait = 20 * time.Second
	return data
}
