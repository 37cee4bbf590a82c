package keeper

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/protocol"
)

// TestMain makes the test's program a keeper, too, as sirikata-node is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == protocol.Keep {
		os.Exit(Keep(os.Stdin, os.Stdout))
	}
	// With the race detector every keeper would take a second to end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// bench is a node with real processes.
type bench struct {
	t       *testing.T
	root    string
	request protocol.Request
}

func newBench(t *testing.T) *bench {
	t.Helper()
	root := t.TempDir()
	b := &bench{t: t, root: root, request: protocol.Request{
		Directory: filepath.Join(root, "state"), StartMS: 5000, Claim: "test",
		Node: cluster.NodeFile{Cluster: "world", Name: "n0", FQDN: "n0.example.org", ServiceUser: "me", WorkingPath: root, SirikataPath: filepath.Join(root, "sirikata")},
	}}
	t.Cleanup(func() {
		ids, err := b.dir().ids()
		if err != nil {
			t.Error(err)
		}
		b.ask(protocol.Remove, ids...)
	})
	return b
}

func (b *bench) dir() directory { return directory{filepath.Join(b.request.Directory, "n0")} }

// ask asks the node and returns its answer.
func (b *bench) ask(action protocol.Action, ids ...string) protocol.Answer {
	b.t.Helper()
	request := b.request
	request.Action, request.IDs = action, ids
	return b.send(request)
}

func (b *bench) send(request protocol.Request) protocol.Answer {
	b.t.Helper()
	text, err := json.Marshal(request)
	if err != nil {
		b.t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	environ := []string{"PATH=" + os.Getenv("PATH"), "HOME=/nowhere", "SSH_CONNECTION=secret"}
	if code := Serve(context.Background(), environ, bytes.NewReader(text), &out, &stderr); code != 0 {
		b.t.Fatalf("exit status %d: %s", code, &stderr)
	}
	var answer protocol.Answer
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		b.t.Fatalf("%v: %s", err, &out)
	}
	return answer
}

// add adds a service and returns what became of it.
func (b *bench) add(service cluster.Service) protocol.Result {
	b.t.Helper()
	service.Target = "n0"
	request := b.request
	request.Action, request.Services = protocol.Claim, []cluster.Service{service}
	if claimed := b.send(request).Results[0]; claimed.Taken || claimed.Failure != "" {
		b.t.Fatalf("claim: %+v", claimed)
	}
	return b.ask(protocol.Start, service.ID).Results[0]
}

// runs adds a service that is to run.
func (b *bench) runs(service cluster.Service) {
	b.t.Helper()
	if result := b.add(service); result.Failure != "" {
		b.t.Fatalf("%+v", result)
	}
}

// state is what the one service does.
func (b *bench) state() protocol.Service {
	b.t.Helper()
	answer := b.ask(protocol.Look)
	if len(answer.Services) != 1 || answer.Error != "" {
		b.t.Fatalf("answer %+v", answer)
	}
	return answer.Services[0]
}

func (b *bench) run(id string) run {
	b.t.Helper()
	r, ok, err := b.dir().run(id)
	if err != nil || !ok {
		b.t.Fatalf("no run of %s: %v", id, err)
	}
	return r
}

// pid is what a service wrote into a file.
func (b *bench) pid(file string) Identity {
	b.t.Helper()
	var pid int
	b.eventually("a pid in "+file, func() bool {
		text, err := os.ReadFile(filepath.Join(b.root, file))
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	e, ok := readEntry(pid)
	if !ok {
		b.t.Fatalf("process %d of %s is not there", pid, file)
	}
	return e.Identity
}

func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	deadline := time.After(15 * time.Second)
	for !holds() {
		select {
		case <-deadline:
			b.t.Fatalf("waited 15s for %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (b *bench) kill(who Identity, number syscall.Signal) {
	b.t.Helper()
	if err := signalProcess(who, int(number)); err != nil {
		b.t.Fatal(err)
	}
}

func foreground(script string) cluster.Service {
	return cluster.Service{ID: "s", ForceDaemonize: true, Command: []string{"/bin/sh", "-c", script}}
}

func forking(script string) cluster.Service {
	return cluster.Service{ID: "s", Command: []string{"/bin/sh", "-c", script, "sh", "PIDFILE"}}
}
