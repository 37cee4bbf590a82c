package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// serviceTimeout is how long a service may take to start: its own time-out is
// 20 s on each node that may run it.
const serviceTimeout = 2 * time.Minute

func newAddService(a *app, s scope) *cobra.Command {
	var service cluster.Service
	var env []string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "service NAME ID NODE|any [flags] [--] COMMAND…",
		Short: "run a daemon on one node, or on any",
		Long: `Adds a service and waits until it runs. The command must be a daemon: it forks,
and its parent exits once it is ready. One that stays in the foreground needs
--force-daemonize. In its arguments PIDFILE is replaced by the path at which it
must write its pid, and FQDN by the name by which clients reach the node.`,
		Example: "  " + s.prefix() + " add service demo redis any -- /usr/bin/redis-server --daemonize yes --pidfile PIDFILE\n" +
			"  " + s.prefix() + " add service demo mqtt node1 --force-daemonize --user=mosquitto -- /usr/sbin/mosquitto -p 1883",
	}
	flags := cmd.Flags()
	flags.StringVar(&service.User, "user", "", "user that runs it (default: the cluster's)")
	flags.StringVar(&service.Cwd, "cwd", "", "working directory (default: the cluster's)")
	flags.IntVar(&service.Monitor, "monitor", cluster.DefaultMonitor, "longest time of one check, in seconds; a death is noticed at once; 0: no checks")
	flags.BoolVar(&service.Failover, "failover", true, "restart it, and move it to another node; if false, one that dies stays stopped")
	flags.BoolVar(&service.ForceDaemonize, "force-daemonize", false, "the command stays in the foreground")
	flags.StringVar(&service.Require, "require", "", "capability that its node must have")
	flags.StringArrayVar(&env, "env", nil, "K=V for its environment; may be repeated")
	waitFlag(cmd, &wait, serviceTimeout)
	takesCommand(cmd, []string{"NAME", "ID", "NODE|any"}, func(ctx context.Context, words, command []string) error {
		service.ID, service.Target, service.Command = words[1], words[2], command
		var err error
		if service.Env, err = parseEnv(env); err != nil {
			return err
		}
		return a.addServices(ctx, s, words[0], []cluster.Service{service}, wait)
	})
	return cmd
}

func (a *app) addServices(ctx context.Context, s scope, clusterName string, services []cluster.Service, wait time.Duration) error {
	return a.onCluster(ctx, s, clusterName, wait, func(ctx context.Context, ng *nodegroup.NodeGroup) error {
		if len(services) == 0 {
			a.print("no services given: nothing to do")
			return nil
		}
		started, err := ng.AddServices(ctx, services)
		for _, service := range started {
			a.started(service, "runs")
		}
		return err
	})
}

// started says where a service runs.
func (a *app) started(service nodegroup.Started, how string) {
	if service.Already {
		a.print("service %q runs on %s already, with the same definition", service.ID, service.Node)
		return
	}
	a.print("service %q %s on %s, after %.2f s", service.ID, how, service.Node, service.Took.Seconds())
}

// parseEnv reads K=V.
func parseEnv(texts []string) (map[string]string, error) {
	env := map[string]string{}
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, usagef("invalid --env %q: use K=V", text)
		}
		env[key] = value
	}
	return env, nil
}

func commas(words []string) string { return strings.Join(words, ", ") }
