package agent

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"github.com/sirikata/sirikata-cluster/internal/keeper"
	"github.com/sirikata/sirikata-cluster/internal/release"
)

// runRelease is "sirikata-node release look|install|switch". What it answers is a
// [release.State] in JSON, also of what failed; only a command line that makes no
// sense ends with another status.
func runRelease(ctx context.Context, p Process, args []string) int {
	r, owner, err := parseRelease(args)
	if err != nil {
		fmt.Fprintln(p.Stderr, "sirikata-node: error: release:", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	defer stop()
	state, err := doRelease(ctx, args[0], r, owner, p.Stdin)
	if err != nil {
		state = state.Failing(err)
	}
	if err := json.NewEncoder(p.Stdout).Encode(state); err != nil {
		fmt.Fprintln(p.Stderr, "sirikata-node: error: release:", err)
		return 1
	}
	return 0
}

func doRelease(ctx context.Context, action string, r release.Request, owner string, in io.Reader) (release.State, error) {
	if action == "look" {
		return release.Look(ctx, r)
	}
	if owner != "" {
		who, err := keeper.LookUpAccount(ctx, owner)
		if err != nil {
			return release.State{}, fmt.Errorf("user %q: %w", owner, err)
		}
		r.Owner = &release.Owner{UID: int(who.UID), GID: int(who.GID)}
		for _, group := range who.Groups {
			r.Owner.Groups = append(r.Owner.Groups, int(group))
		}
	}
	if action == "switch" {
		r.Stream = ""
	}
	return release.Install(ctx, r, in)
}

func parseRelease(args []string) (r release.Request, owner string, err error) {
	if len(args) == 0 {
		return r, "", errors.New("it takes look, install or switch")
	}
	flags := flag.NewFlagSet("release "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	used := flags.String("in-use", "", "digests of releases that must stay, with commas")
	stdin := flags.Bool("stdin", false, "the stream comes from standard input")
	flags.StringVar(&r.Path, "path", "", "the directory of releases")
	flags.StringVar(&r.Digest, "digest", "", "of the release")
	flags.StringVar(&r.Stream, "stream", "", "the name of the stream")
	flags.Int64Var(&r.Offset, "offset", 0, "where the stream begins")
	flags.Int64Var(&r.Size, "size", 0, "of the whole stream")
	flags.Int64Var(&r.Bytes, "bytes", 0, "of the unpacked files")
	flags.Int64Var(&r.Files, "files", 0, "how many there are")
	flags.StringVar(&owner, "owner", "", "the user whose the release becomes")
	flags.BoolVar(&r.InPlace, "in-place", false, "unpack over what is there")
	flags.BoolVar(&r.Back, "back", false, "the switch goes back")
	if err := flags.Parse(args[1:]); err != nil {
		return r, "", err
	}
	if *used != "" {
		r.InUse = strings.Split(*used, ",")
	}
	switch action := args[0]; {
	case flags.NArg() > 0:
		return r, "", fmt.Errorf("%q is too much", flags.Arg(0))
	case r.Path == "":
		return r, "", errors.New("--path is missing")
	case action == "install" && (!*stdin || r.Stream == ""):
		return r, "", errors.New("install takes --stdin and --stream")
	case action != "look" && action != "install" && action != "switch":
		return r, "", fmt.Errorf("%q is not look, install or switch", action)
	}
	return r, owner, nil
}

// runFiles is "sirikata-node files send SOURCE" and "files receive TARGET".
func runFiles(ctx context.Context, p Process, args []string) int {
	if len(args) != 2 || args[0] != "send" && args[0] != "receive" {
		fmt.Fprintln(p.Stderr, "sirikata-node: error: files: it takes send SOURCE or receive TARGET")
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	defer stop()
	var err error
	if args[0] == "send" {
		err = release.Send(ctx, args[1], p.Stdout, nil, nil)
	} else {
		var copied release.Copied
		if copied, err = release.Receive(ctx, p.Stdin, args[1]); err == nil {
			err = json.NewEncoder(p.Stdout).Encode(copied)
		}
	}
	if err != nil {
		fmt.Fprintln(p.Stderr, err)
		return 1
	}
	return 0
}
