//go:build lab

package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/programs"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

// fenced is a cluster whose nodes have the fence agent, as Puppet installs it.
type fenced struct {
	*Provider
	spec     cluster.Spec
	machines []provider.Machine
	device   provider.FenceDevice
}

// node is sirikata-node as it is built in.
func node(t *testing.T) func(machine string) ([]byte, error) {
	t.Helper()
	return func(machine string) ([]byte, error) {
		content, _, err := programs.Node(machine)
		return content, err
	}
}

func newFenced(t *testing.T, spec cluster.Spec) *fenced {
	t.Helper()
	needEngine(t)
	f := &fenced{Provider: testProvider(Options{}), spec: spec}
	f.machines = boot(t, f.Provider, spec)
	var err error
	begin := time.Now()
	if f.device, err = f.FenceDevice(t.Context(), spec, node(t)); err != nil {
		t.Fatalf("fence device: %v\nhint: %s", err, cluster.HintOf(err))
	}
	t.Logf("made the power service in %v", time.Since(begin))
	for _, m := range f.machines {
		f.equip(t, m)
	}
	return f
}

// equip puts agent and secret on a node.
func (f *fenced) equip(t *testing.T, m provider.Machine) {
	t.Helper()
	program, err := node(t)(strings.TrimSpace(on(t, f.Provider, m, "uname", "-m")))
	if err != nil {
		t.Fatal(err)
	}
	put := func(path string, content []byte, mode string) {
		script := `mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"`
		if _, err := f.docker.run(t.Context(), bytes.NewReader(content), "exec", "--interactive", m.ID, "sh", "-c", script, "sh", path, mode); err != nil {
			t.Fatal(err)
		}
	}
	put(cluster.NodeProgramPath, program, "755")
	put(cluster.FenceSecretPath, f.device.Secret, "600")
	on(t, f.Provider, m, "ln", "-sf", cluster.NodeProgramPath, cluster.FenceAgentPath)
}

// ask runs the agent on a node and checks its exit status and what it says.
func (f *fenced) ask(t *testing.T, from int, action, plug string, want int, says string, more ...string) {
	t.Helper()
	options := []string{"action=" + action, "nodename=" + plug, "plug=" + plug}
	for name, value := range f.device.Parameters {
		options = append(options, name+"="+value)
	}
	stdin := strings.Join(append(options, more...), "\n") + "\n"
	cmd := exec.CommandContext(t.Context(), "docker", "exec", "--interactive", f.machines[from].ID, cluster.FenceAgent)
	cmd.Stdin = strings.NewReader(stdin)
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(begin).Round(time.Millisecond)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want || !strings.Contains(string(out), says) {
		t.Errorf("%s %s: exit status %d, want %d; it says %q, want %q", action, plug, got, want, out, says)
	}
	t.Logf("%s %s in %v: %s", action, plug, took, bytes.TrimSpace(out))
}

// started is when a machine was switched on, or "" if it is off.
func (f *fenced) started(t *testing.T, m provider.Machine) string {
	t.Helper()
	out, err := f.docker.run(t.Context(), nil, "container", "inspect", "--format", "{{if .State.Running}}{{.State.StartedAt}}{{end}}", m.ID)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestFencing(t *testing.T) {
	f := newFenced(t, testSpec(t, 3))
	other := testSpec(t, 1)
	other.Removed = []int{0, 1, 2} // has a node3, and f has none
	stranger := boot(t, f.Provider, other)[0]
	one := f.machines[1]

	f.ask(t, 0, "monitor", "", 0, "")
	f.ask(t, 0, "list", "", 0, "node0,\nnode1,\nnode2,\n")
	f.ask(t, 0, "status", "node1", 0, "node1 is on")

	before := f.started(t, one)
	f.ask(t, 0, "reboot", "node1", 0, "node1 was killed and starts again")
	waitFor(t, "node1 to be on again", func() bool { now := f.started(t, one); return now != "" && now != before })

	f.ask(t, 0, "off", "node1", 0, "node1 was killed and is off")
	if f.started(t, one) != "" {
		t.Error("node1 is on")
	}
	f.ask(t, 0, "status", "node1", 2, "node1 is off")
	f.ask(t, 0, "off", "node1", 0, "node1 was off already")
	f.ask(t, 0, "reboot", "node1", 0, "node1 was off already and stays so")
	f.ask(t, 0, "on", "node1", 0, "node1 is switched on")
	f.ask(t, 0, "on", "node1", 0, "node1 was on already")

	for _, how := range []string{"off", "reboot"} {
		if err := f.Freeze(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		f.ask(t, 0, "status", "node1", 0, "node1 is on")
		f.ask(t, 0, how, "node1", 0, "node1 was killed")
		f.ask(t, 0, "on", "node1", 0, "node1 is switched on")
	}

	f.ask(t, 0, "off", "node3", 0, "node3 was off already")
	if f.started(t, stranger) == "" {
		t.Error("node3 of another cluster is off")
	}
	for _, name := range []string{"node01", "node", "node-1", "node240", one.ID, f.finalName()} {
		f.ask(t, 0, "off", name, 1, fmt.Sprintf("%q is not the name of a node", name))
	}
	if err := f.ReleaseMachine(t.Context(), f.spec, one); err != nil {
		t.Fatal(err)
	}
	f.ask(t, 0, "status", "node1", 2, "node1 is off")
	f.ask(t, 0, "reboot", "node1", 0, "node1 was off already")
	f.ask(t, 0, "on", "node1", 1, "there is no machine of that name any more")

	on(t, f.Provider, f.machines[0], "sh", "-c", "openssl rand -hex 32 >/tmp/wrong")
	f.ask(t, 0, "off", "node2", 1, "it does not accept our secret: /tmp/wrong is not the secret", "secret_file=/tmp/wrong")
	if f.started(t, f.machines[2]) == "" {
		t.Error("node2 is off")
	}
	f.ask(t, 0, "off", "node0", 137, "") // itself
}

func (f *fenced) finalName() string { return (&fencing{name: f.spec.Name}).finalName() }

// TestAgentMetadata: Pacemaker's own tools find the agent and read what it says.
func TestAgentMetadata(t *testing.T) {
	f := newFenced(t, testSpec(t, 1))
	if got := on(t, f.Provider, f.machines[0], "stonith_admin", "--metadata", "--agent", cluster.FenceAgent); !strings.Contains(got, `<parameter name="plug"`) {
		t.Errorf("meta-data: %s", got)
	}
	if got := on(t, f.Provider, f.machines[0], "stonith_admin", "--list-installed"); !strings.Contains(got, cluster.FenceAgent+"\n") {
		t.Errorf("agents: %s", got)
	}
}

// TestPowerService is about the container.
func TestPowerService(t *testing.T) {
	f := newFenced(t, testSpec(t, 1))
	id := f.id(t)
	t.Run("for a second operator", func(t *testing.T) {
		again, err := testProvider(Options{}).FenceDevice(t.Context(), f.spec, node(t))
		if err != nil || !cmp.Equal(again, f.device) || f.id(t) != id {
			t.Errorf("another device, or another container: %v, %v", again, err)
		}
	})
	t.Run("another version of the program", func(t *testing.T) {
		newer := func(machine string) ([]byte, error) {
			program, err := node(t)(machine)
			return append(program, "newer"...), err
		}
		again, err := f.FenceDevice(t.Context(), f.spec, newer)
		if err != nil || !cmp.Equal(again, f.device) || f.id(t) == id {
			t.Errorf("another device, or the same container: %v, %v", again, err)
		}
		f.ask(t, 0, "monitor", "", 0, "")
	})
	t.Run("two at once", func(t *testing.T) {
		if err := each(make([]int, 3), func(int) error {
			again, err := testProvider(Options{}).FenceDevice(t.Context(), f.spec, node(t))
			if err == nil && !cmp.Equal(again, f.device) {
				err = errors.New("another device")
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	t.Run("it dies", func(t *testing.T) {
		pid, err := f.docker.word(t.Context(), "container", "inspect", "--format", "{{.State.Pid}}", f.finalName())
		if err != nil {
			t.Fatal(err)
		}
		number, _ := strconv.Atoi(pid)
		process, err := os.FindProcess(number)
		if err == nil {
			err = process.Kill()
		}
		if err != nil {
			t.Fatal(err)
		}
		f.ask(t, 0, "monitor", "", 0, "") // the engine starts it again, the agent waits for it
	})
	t.Run("switched off", func(t *testing.T) {
		if _, err := f.docker.run(t.Context(), nil, "stop", f.finalName()); err != nil {
			t.Fatal(err)
		}
		if again, err := f.FenceDevice(t.Context(), f.spec, node(t)); err != nil || !cmp.Equal(again, f.device) {
			t.Errorf("another device: %v, %v", again, err)
		}
	})
	t.Run("its address is taken", func(t *testing.T) { f.addressTaken(t) })
	f.nothingLeft(t)
}

func (f *fenced) id(t *testing.T) string {
	t.Helper()
	id, err := f.docker.word(t.Context(), "container", "inspect", "--format", "{{.Id}}", f.finalName())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// addressTaken replaces the power service by a container of somebody else's.
func (f *fenced) addressTaken(t *testing.T) {
	if _, err := f.docker.run(t.Context(), nil, "stop", f.finalName()); err != nil {
		t.Fatal(err)
	}
	host, _, _ := strings.Cut(f.device.Parameters["address"], ":")
	thief, err := f.docker.word(t.Context(), "run", "--detach", "--label", testLabel+"=local", "--network", networkName(f.spec.Name),
		"--ip", host, "--entrypoint", "sleep", mustImage(t), "600")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.FenceDevice(t.Context(), f.spec, node(t))
	if err == nil || !strings.Contains(cluster.HintOf(err), "docker network inspect "+networkName(f.spec.Name)) {
		t.Errorf("error %v, hint %q", err, cluster.HintOf(err))
	}
	if err := f.remove(t.Context(), thief); err != nil {
		t.Fatal(err)
	}
	if again, err := f.FenceDevice(t.Context(), f.spec, node(t)); err != nil || !cmp.Equal(again, f.device) {
		t.Errorf("another device: %v, %v", again, err)
	}
}

// nothingLeft releases the cluster.
func (f *fenced) nothingLeft(t *testing.T) {
	volume, err := f.docker.word(t.Context(), "container", "inspect", "--format", "{{range .Mounts}}{{.Name}}{{end}}", f.finalName())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Release(t.Context(), f.spec); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"container", "network"} {
		left, err := f.docker.lines(t.Context(), kind, "ls", "--quiet", "--filter", "label="+ClusterLabel+"="+f.spec.Name)
		if err != nil || len(left) > 0 {
			t.Errorf("%s left: %v (%v)", kind, left, err)
		}
	}
	if _, err := f.docker.run(t.Context(), nil, "volume", "inspect", volume); !toolSays(err, "no such volume") {
		t.Errorf("the volume %q is left: %v", volume, err)
	}
}

// TestFenceDeviceKilled stops FenceDevice, which has each time another program to
// install, at ever later moments. The secret is never lost.
func TestFenceDeviceKilled(t *testing.T) {
	needEngine(t)
	p, spec := testProvider(Options{}), testSpec(t, 1)
	boot(t, p, spec)
	begin := time.Now()
	want, err := p.FenceDevice(t.Context(), spec, node(t))
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin) // which depends on the machine
	stopped := 0
	for try := range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), took*time.Duration(try+1)/15)
		got, err := p.FenceDevice(ctx, spec, func(machine string) ([]byte, error) {
			content, err := node(t)(machine)
			return append(content, strconv.Itoa(try)...), err
		})
		cancel()
		if err != nil {
			stopped++
		} else if !cmp.Equal(got, want) {
			t.Fatalf("after %d times: another device", try)
		}
	}
	if stopped == 0 || stopped == 30 {
		t.Errorf("stopped %d of 30 times", stopped)
	}
	t.Logf("stopped %d of 30 times", stopped)
	got, err := p.FenceDevice(t.Context(), spec, node(t))
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("another device, or %v", err)
	}
	left, err := p.powerServices(t.Context(), spec.Name)
	if err != nil || len(left) != 1 || left[0].State.Status != "running" || left[0].Name != "/"+(&fencing{name: spec.Name}).finalName() {
		t.Errorf("power services: %+v, %v", left, err)
	}
}
