package fence

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	ourLabel   = "org.sirikata.cluster=world"
	indexLabel = "org.sirikata.index"
	secretText = "0123456789abcdef0123456789abcdef"
)

// fakeContainer is one of an engine's.
type fakeContainer struct {
	Label    string // KEY=VALUE
	Index    string // empty for one that is no node
	Running  bool
	Immortal bool // runs on when it is killed
}

// fakeEngine speaks the part of the Docker Engine API that is used here. The lab
// tests of the provider local run the same actions against the real one.
type fakeEngine struct {
	mutex      sync.Mutex
	containers map[string]*fakeContainer // by id
	did        []string                  // what was changed
	starting   chan struct{}             // if set, a start takes until it is closed
	asked      chan struct{}             // a start was asked for; with starting only
	fault      func(path string) (status int, body string)
	socket     string
}

func newFakeEngine(t *testing.T, containers map[string]*fakeContainer) *fakeEngine {
	t.Helper()
	dir, err := os.MkdirTemp("", "fence") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	e := &fakeEngine{containers: containers, socket: filepath.Join(dir, "engine.sock")}
	listener, err := net.Listen("unix", e.socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_ping", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("OK")) })
	mux.HandleFunc("GET /containers/json", e.list)
	mux.HandleFunc("GET /containers/{id}/json", e.inspect)
	mux.HandleFunc("POST /containers/{id}/kill", e.kill)
	mux.HandleFunc("POST /containers/{id}/start", e.start)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.fault != nil {
			if status, body := e.fault(r.URL.Path); status != 0 {
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
				return
			}
		}
		mux.ServeHTTP(w, r)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return e
}

func (e *fakeEngine) list(w http.ResponseWriter, r *http.Request) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	var filters struct{ Label []string }
	if err := json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filters); err != nil || r.URL.Query().Get("all") != "1" {
		http.Error(w, `{"message":"bad query"}`, http.StatusBadRequest)
		return
	}
	found := []map[string]any{}
	for id, c := range e.containers {
		key, value, _ := strings.Cut(c.Label, "=")
		labels := map[string]string{key: value}
		have := []string{key, c.Label}
		if c.Index != "" {
			labels[indexLabel] = c.Index
			have = append(have, indexLabel, indexLabel+"="+c.Index)
		}
		if !slices.ContainsFunc(filters.Label, func(l string) bool { return !slices.Contains(have, l) }) {
			found = append(found, map[string]any{"Id": id, "Labels": labels})
		}
	}
	_ = json.NewEncoder(w).Encode(found)
}

func (e *fakeEngine) inspect(w http.ResponseWriter, r *http.Request) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, ok := e.containers[r.PathValue("id")]
	if !ok {
		http.Error(w, `{"message":"No such container"}`, http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"State": map[string]any{"Running": c.Running}})
}

func (e *fakeEngine) kill(w http.ResponseWriter, r *http.Request) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c := e.containers[r.PathValue("id")]
	if !c.Running {
		http.Error(w, `{"message":"is not running"}`, http.StatusConflict)
		return
	}
	c.Running = c.Immortal
	if !c.Immortal || !slices.Contains(e.did, "kill "+r.PathValue("id")) {
		e.did = append(e.did, "kill "+r.PathValue("id"))
	}
	w.WriteHeader(http.StatusNoContent)
}

func (e *fakeEngine) start(w http.ResponseWriter, r *http.Request) {
	if e.starting != nil {
		e.asked <- struct{}{}
		<-e.starting
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c := e.containers[r.PathValue("id")]
	if c.Running {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	c.Running = true
	e.did = append(e.did, "start "+r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

// done returns what was changed, and forgets it.
func (e *fakeEngine) done() string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	did := strings.Join(e.did, ", ")
	e.did = nil
	return did
}

// nodes are those of the cluster "world".
func nodes(running ...bool) map[string]*fakeContainer {
	all := map[string]*fakeContainer{}
	for i, r := range running {
		all["c"+strconv.Itoa(i)] = &fakeContainer{Label: ourLabel, Index: strconv.Itoa(i), Running: r}
	}
	return all
}

// lab is a power service and an agent that knows its secret.
type lab struct {
	address, secretFile string
	log                 func() string
}

func newLab(t *testing.T, e *fakeEngine) lab {
	t.Helper()
	var mutex sync.Mutex
	var lines []string
	l := lab{secretFile: filepath.Join(t.TempDir(), "secret"), log: func() string {
		mutex.Lock()
		defer mutex.Unlock()
		return strings.Join(lines, "\n")
	}}
	if err := os.WriteFile(l.secretFile, []byte(secretText+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := func(format string, args ...any) {
		mutex.Lock()
		defer mutex.Unlock()
		lines = append(lines, sprintf(format, args...))
	}
	s := service{secret: []byte(secretText), log: log, power: &power{
		engine: engine{socket: e.socket, label: ourLabel, indexLabel: indexLabel}, log: log, busy: map[int]chan struct{}{}, later: map[int]context.CancelFunc{}}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l
}

// ask runs the agent. more options come first: the last one of a name counts.
func (l lab) ask(t *testing.T, action, plug string, more ...string) (status int, stdout, stderr string) {
	t.Helper()
	options := slices.Concat([]string{"address=" + l.address, "secret_file=" + l.secretFile, "action=" + action, "plug=" + plug}, more)
	var out, problems bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	status = Agent(ctx, "1.2.3", strings.NewReader(strings.Join(options, "\n")+"\n"), &out, &problems)
	return status, out.String(), problems.String()
}
