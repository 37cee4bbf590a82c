package cli

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sirikata/sirikata-cluster/internal/store"
)

var updateScripts = flag.Bool("update", false, "rewrite what scripts compare")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){name: func() { os.Exit(Main()) }})
}

// TestScripts runs the real program. A script begins with an empty store and a
// PATH on which there is nothing but the program and what stands in $WORK/bin.
//
//	exits CODE COMMAND…    COMMAND ends with that exit code
//	nodes CLUSTER N        boots N nodes that run Debian's tools as far as testdata/node has them
//	says [then] STATE…     what their Pacemaker says from now on, or after the next change
//	off N                  powers one of them off
//	locked CLUSTER         another command works on the cluster until the script ends
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *updateScripts,
		Setup: func(env *testscript.Env) error {
			program := filepath.SplitList(env.Getenv("PATH"))[0]
			env.Setenv("PATH", program+string(filepath.ListSeparator)+env.Getenv("WORK")+"/bin")
			env.Setenv("SIRIKATA_CLUSTER_HOME", env.Getenv("WORK")+"/store")
			env.Setenv("HOME", env.Getenv("WORK")+"/home")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each command otherwise
			env.Values[nodesKey] = &scriptNodes{t: env.T().(testing.TB), work: env.Getenv("WORK")}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"nodes":  nodesCommand,
			"says":   saysCommand,
			"off":    offCommand,
			"locked": lockedCommand,
		},
	})
}

// exits compares the exit code, of which testscript itself knows only whether it
// is 0.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func lockedCommand(ts *testscript.TestScript, _ bool, args []string) {
	unlock, err := store.Open(ts.Getenv("SIRIKATA_CLUSTER_HOME")).Lock(args[0], "nodes boot")
	ts.Check(err)
	ts.Defer(unlock)
}
