package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// localCommands are what only clusters on this machine have.
func localCommands(a *app) []*cobra.Command {
	return []*cobra.Command{
		newLocalCreate(a),
		group("nodes", "allocate, release, and switch off the nodes of a cluster", newKill(a), newStop(a), newStart(a)),
		group("image", "the image that nodes are made from", newImageBuild(a)),
	}
}

func newLocalCreate(a *app) *cobra.Command {
	var profile string
	var capabilities []string
	var full int
	var fencing string
	cmd := &cobra.Command{
		Use:     "create NAME SIZE [flags]",
		Short:   "create the spec of a cluster on this machine",
		Long:    "Creates the spec of a cluster. No node is allocated before it is booted.",
		Example: "  " + name + " local create demo 3",
	}
	cmd.Flags().StringVar(&profile, "token-profile", "",
		"how fast a dead node is noticed: lan, cloud, or Corosync's token time-out in milliseconds (default: lan up to 7 nodes, cloud beyond)")
	cmd.Flags().StringArrayVar(&capabilities, "capability", nil,
		"NODE=WORD: a node offers a capability, which services can require; may be repeated")
	cmd.Flags().IntVar(&full, "full-nodes", 0,
		"how many nodes vote: 3, 5 or 7; the others only run services (default: all up to 7 nodes, 3 beyond)")
	cmd.Flags().StringVar(&fencing, "fencing", "on",
		"on: a node that is lost is switched off before its services start elsewhere; off: they may run twice")
	names := []string{"NAME", "SIZE"}
	takesCommand(cmd, names, func(_ context.Context, args, rest []string) error {
		if len(rest) > 0 {
			return wrongWords(cmd, append(args, rest...), names)
		}
		size, err := parseSize(args[1])
		if err != nil {
			return err
		}
		if !cmd.Flags().Changed("token-profile") {
			profile = string(localProfile(size))
		}
		spec := nodegroup.LocalSpec(args[0], size, cluster.TokenProfile(profile))
		if full != 0 {
			spec.FullNodes = full
		}
		if spec.Fencing, err = parseOnOff("fencing", fencing); err != nil {
			return err
		}
		if spec.Capabilities, err = parseCapabilities(capabilities); err != nil {
			return err
		}
		return a.createLocal(spec)
	})
	return cmd
}

func parseOnOff(flag, text string) (bool, error) {
	switch text {
	case "on":
		return true, nil
	case "off":
		return false, nil
	}
	return false, usagef("invalid --%s %q: use on or off", flag, text)
}

// lanSize is the largest number of nodes on one machine whose Corosyncs keep up
// with the tokens of the lan profile; twelve on two cores did not.
const lanSize = 7

func localProfile(size int) cluster.TokenProfile {
	if size > lanSize {
		return cluster.Cloud
	}
	return cluster.LAN
}

// createLocal remembers a spec and says what to run next.
func (a *app) createLocal(spec cluster.Spec) error {
	if err := a.create(spec, fmt.Sprintf("%s; a dead node is noticed in %s",
		spec.Type, seconds(spec.TokenProfile.Detection().Seconds()))); err != nil {
		return err
	}
	if !spec.Fencing {
		a.say("without fencing a node that is cut off may keep running a service that was moved")
	}
	a.say("next: %s %s nodes boot %s", name, spec.Type, spec.Name)
	return nil
}

// create remembers a spec, and says of a new cluster what it is like.
func (a *app) create(spec cluster.Spec, like string) error {
	env, err := a.environment()
	if err != nil {
		return err
	}
	created, err := nodegroup.Create(env, spec)
	if err != nil {
		return err
	}
	if !created {
		a.print("cluster %q exists already, with the same spec", spec.Name)
		return nil
	}
	a.print("created cluster %q: %s, %s", spec.Name, counted(spec.Size, "node"), like)
	return nil
}

// parseCapabilities reads NODE=WORD.
func parseCapabilities(texts []string) (map[string][]string, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	capabilities := map[string][]string{}
	for _, text := range texts {
		node, word, ok := strings.Cut(text, "=")
		if !ok || node == "" || word == "" {
			return nil, usagef("invalid --capability %q: use NODE=WORD, such as node1=redis", text)
		}
		capabilities[node] = append(capabilities[node], word)
	}
	return capabilities, nil
}

func newImageBuild(a *app) *cobra.Command {
	var rebuild bool
	cmd := &cobra.Command{
		Use:     "build",
		Short:   "build the image that nodes are made from",
		Long:    "Builds the image from Debian packages, unless it is there, and prints its name.\nBoot does the same when it is missing.",
		Example: "  " + name + " local image build",
		Args:    words(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			begin := time.Now()
			image, built, err := nodegroup.BuildImage(cmd.Context(), cluster.Local, rebuild, a.err)
			if err != nil {
				return err
			}
			a.print("%s", image)
			if built {
				a.say("built in %s", seconds(time.Since(begin).Seconds()))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "build it even if it is there")
	return cmd
}
