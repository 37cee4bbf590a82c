package cli

import (
	"context"
	"fmt"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// adhocCommands are what only clusters of the user's own hosts have.
func adhocCommands(a *app) []*cobra.Command { return []*cobra.Command{newAdHocCreate(a)} }

const nodeWords = `NODE is what you would hand to ssh: a host name, an IP address or a Host alias of
~/.ssh/config, with USER@ before it and :PORT behind it where need be. The word
localhost is this machine, without SSH. Or it is a JSON object with dns_name and any
of username, sirikata_path, default_working_path, workspace_path, capabilities, port,
name, identity_file, cluster_address, transport (ssh or local), and with the engine
pacemaker fence: {"agent": "fence_ipmilan", …}, a fence agent and its parameters, or
{"agent": "sbd"} with any of watchdog and timeout, the host's own watchdog. Or it is
@FILE, a file with such an object or a JSON array of them, and @- is standard input:
give passwords so, because others can read arguments. From then on the first label of
the host name is the node's name: host1 for host1.example.com.`

func newAdHocCreate(a *app) *cobra.Command {
	var engine, profile string
	var full int
	cmd := &cobra.Command{
		Use:   "create NAME USER SIRIKATA_PATH WORK_PATH SCRATCH_PATH NODE… [flags]",
		Short: "create the spec of a cluster of hosts that you have",
		Long: `Creates the spec of a cluster. No host is contacted.

USER logs in and runs services. SIRIKATA_PATH is where Sirikata is synced to, WORK_PATH
is the working directory of services, SCRATCH_PATH is scratch space that is not cleaned
up at a reboot; each for hosts that name no other.

` + nodeWords,
		Example: "  " + name + " adhoc create demo $USER ~/sirikata ~ /var/tmp localhost\n" +
			"  " + name + " adhoc create world ewencp /home/ewencp/sirikata /home/ewencp /disk/scratch host1.example.com bob@host2:2222\n" +
			"  " + name + ` adhoc create world ewencp /home/ewencp/sirikata /home/ewencp /disk/scratch '{"dns_name": "host3", "capabilities": "redis"}'`,
		Args: func(cmd *cobra.Command, args []string) error {
			names := []string{"NAME", "USER", "SIRIKATA_PATH", "WORK_PATH", "SCRATCH_PATH", "NODE…"}
			if len(args) >= len(names) {
				return nil
			}
			return wrongWords(cmd, args, names)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, flag := range []string{"token-profile", "full-nodes"} {
				if cmd.Flags().Changed(flag) && engine != string(cluster.Pacemaker) {
					return cluster.WithHint(usagef("--%s has no meaning with the engine %s, which has no Corosync", flag, engine), "add --engine=pacemaker")
				}
			}
			nodes, err := a.hostWords(args[5:])
			if err != nil {
				return err
			}
			spec, err := nodegroup.AdHocSpec(nodegroup.AdHoc{
				Name: args[0], User: args[1], Nodes: nodes, Engine: cluster.Engine(engine),
				Paths:        cluster.Paths{Sirikata: args[2], Working: args[3], Workspace: args[4]},
				TokenProfile: cluster.TokenProfile(profile), FullNodes: full,
			})
			if err == nil {
				err = runsHere(spec)
			}
			if err != nil {
				return err
			}
			return a.createAdHoc(spec)
		},
	}
	cmd.Flags().StringVar(&engine, "engine", string(cluster.Direct),
		"how services run: direct, which needs no root and nothing installed, and fails nothing over; or pacemaker, with failover, on Debian hosts where USER may use sudo")
	cmd.Flags().StringVar(&profile, "token-profile", string(cluster.LAN),
		"how fast a dead node is noticed, with the engine pacemaker: lan, cloud, or Corosync's token time-out in milliseconds")
	cmd.Flags().IntVar(&full, "full-nodes", 0,
		"how many nodes vote, with the engine pacemaker: 3, 5 or 7; the others only run services (default: all up to 7 nodes, 5 beyond)")
	return cmd
}

// runsHere refuses this machine as a node of another user than who runs this.
func runsHere(spec cluster.Spec) error {
	me, err := user.Current()
	if err != nil {
		return err
	}
	for _, host := range spec.Hosts {
		if host.Transport == cluster.OnMachine && spec.User(host.Name) != me.Username {
			return cluster.WithHint(usagef("node %s is this machine, where commands run as %q, not as %q", host.Name, me.Username, spec.User(host.Name)),
				`run this as %s, or give the node a user of its own: '{"transport": "local", "username": %q}'`, spec.User(host.Name), me.Username)
		}
	}
	return nil
}

// unfenced is what to expect of hosts on which nothing switches lost nodes off.
const unfenced = "nothing fences these hosts: one that is cut off may keep running a service that was moved"

// createAdHoc remembers a spec and says what to run next.
func (a *app) createAdHoc(spec cluster.Spec) error {
	var names []string
	for _, host := range spec.Hosts {
		names = append(names, host.Name)
	}
	if err := a.create(spec, fmt.Sprintf("%s; engine %s", commas(names), spec.Engine)); err != nil {
		return err
	}
	if spec.Engine == cluster.Direct {
		a.say("nothing fails over: a service whose node dies stays down")
		a.say("next: %s adhoc members info %s", name, spec.Name)
		return nil
	}
	if !spec.Fencing {
		a.say(unfenced)
	}
	a.say("next: %s adhoc nodes boot %s", name, spec.Name)
	return nil
}

func newAdHocAddNode(a *app, s scope) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "node NAME NODE",
		Short:   "add a host to a cluster",
		Long:    "Adds a host, once it answers.\n\n" + nodeWords,
		Example: "  " + s.prefix() + " add node demo bob@host4.example.com",
		Args:    words("NAME", "NODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onCluster(cmd.Context(), s, args[0], wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
				return a.addHost(ctx, ng, args[1])
			})
		},
	}
	waitFlag(cmd, &wait, 5*time.Minute)
	return cmd
}

func (a *app) addHost(ctx context.Context, ng *nodegroup.NodeGroup, word string) error {
	host, err := a.hostWord(word)
	if err != nil {
		return err
	}
	added, err := ng.AddHost(ctx, host)
	if err != nil {
		return err
	}
	a.print("added %s (%s) as node %d", added.Name, added.Connect, added.Index)
	if ng.NeedsBoot() && added.State != cluster.Online {
		a.say("next: %s adhoc nodes boot %s", name, ng.Spec().Name)
	}
	return nil
}

// noBoot answers a command that is not needed for hosts with the engine direct.
func (a *app) noBoot(ng *nodegroup.NodeGroup, answer string) error {
	a.print("cluster %q %s", ng.Spec().Name, answer)
	return nil
}
