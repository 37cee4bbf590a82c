package local

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

func testFencing() *fencing {
	return &fencing{
		Provider: New(Options{Labels: map[string]string{"a": "1"}}), name: "world", image: "sha256:12", network: "34",
		address: netip.MustParseAddr("10.213.7.2"), socket: "/var/run/docker.sock", program: []byte("program"),
	}
}

func TestPowerCreateArgs(t *testing.T) {
	f := testFencing()
	want, err := os.ReadFile("testdata/power.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), strings.Join(f.createArgs(), "\n")); diff != "" {
		t.Errorf("docker create (-want +got):\n%s", diff)
	}
	before := f.version()
	f.image = "sha256:56"
	if f.version() != before {
		t.Error("another image makes another version")
	}
	for name, alter := range map[string]func(*fencing){
		"program": func(f *fencing) { f.program = []byte("programs") },
		"network": func(f *fencing) { f.network = "35" },
		"address": func(f *fencing) { f.address = f.address.Next() },
		"socket":  func(f *fencing) { f.socket = "/run/user/1/docker.sock" },
		"cluster": func(f *fencing) { f.name = "worlds" },
	} {
		f := testFencing()
		if alter(f); f.version() == before {
			t.Errorf("another %s makes no other version", name)
		}
	}
}

func TestPowerFiles(t *testing.T) {
	secret := newSecret()
	if other := newSecret(); !regexp.MustCompile(`^[0-9a-f]{64}$`).Match(secret) || string(other) == string(secret) {
		t.Fatalf("secrets %q and %q", secret, other)
	}
	archive, err := testFencing().files(secret)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	r := tar.NewReader(archive)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, header.FileInfo().Mode().String()+" "+header.Name+" "+header.Linkname+string(data))
	}
	want := []string{"-rwxr-xr-x sirikata-node program", "L--------- fence_sirikata sirikata-node", "-rw------- secret " + string(secret)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestEngineSocket(t *testing.T) {
	for _, test := range []struct{ endpoint, system, want string }{
		{"unix:///run/user/1000/docker.sock", "linux", "/run/user/1000/docker.sock"},
		{"unix:///Users/me/.docker/run/docker.sock", "darwin", "/var/run/docker.sock"},
		{"unix:///home/me/.docker/desktop/docker.sock", "linux", "/var/run/docker.sock"},
		{"tcp://192.0.2.1:2376", "linux", "/var/run/docker.sock"},
		{"ssh://me@192.0.2.1", "linux", "/var/run/docker.sock"},
	} {
		fakeTool(t, "docker", `[ "$1 $2" = "context inspect" ] && echo `+test.endpoint)
		if got, err := New(Options{}).engineSocket(t.Context(), test.system); err != nil || got != test.want {
			t.Errorf("%s on %s: %q, %v; want %q", test.endpoint, test.system, got, err, test.want)
		}
	}
	fakeTool(t, "docker", ``)
	if _, err := New(Options{}).engineSocket(t.Context(), "linux"); err == nil {
		t.Error("no error without an answer")
	}
}

// fencedEngine is a docker with one node. Its script answers what is asked of the
// power service. It returns the log of what was changed.
func fencedEngine(t *testing.T, script string) (changes func() string) {
	t.Helper()
	dir := t.TempDir()
	fakeTool(t, "docker", `cd `+dir+`
secret() { # SECRET: in a tar, as docker cp gives it
	printf %s "$1" >secret && tar -cf - secret
}
case "$1 $2" in
"start "*|"rename "*|"rm --force"|"create --name") echo "$1" >>changes ;;
esac
case "$*" in
"ps"*"label=`+indexLabel+`") echo node ;;
"container inspect node") echo '[{"Id":"node","Image":"sha256:12","Config":{"Labels":{"`+indexLabel+`":"0"}}}]' ;;
"network ls"*) echo 34 ;;
"network inspect --no-trunc"*|"network inspect 34") echo '[{"Name":"sirikata-world","Labels":{"`+ClusterLabel+`":"world"},"IPAM":{"Config":[{"Subnet":"10.213.7.0/24"}]}}]' ;;
"network inspect"*) echo 34 ;;
"info"*) echo x86_64 ;;
"context inspect"*) echo unix:///var/run/docker.sock ;;
*) `+script+` ;;
esac`)
	return func() string {
		text, _ := os.ReadFile(filepath.Join(dir, "changes"))
		return strings.Join(strings.Fields(string(text)), " ")
	}
}

// inPowerService is docker inspect's answer for a power service.
func inPowerService(id, name, status, version string) string {
	return `{"Id":"` + id + `","Name":"/` + name + `","State":{"Status":"` + status + `"},"Config":{"Labels":{"` +
		roleLabel + `":"power","` + powerLabel + `":"` + version + `"}}}`
}

func fenceDevice(t *testing.T) (provider.FenceDevice, error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, errors.New("too long"))
	defer cancel()
	return New(Options{}).FenceDevice(ctx, cluster.Spec{Name: "world", Size: 1, TokenProfile: cluster.LAN}, func(machine string) ([]byte, error) {
		if machine != "x86_64" {
			t.Errorf("a program for %q", machine)
		}
		return []byte("program"), nil
	})
}

// TestFenceDeviceAdopts: a power service that is right is left alone.
func TestFenceDeviceAdopts(t *testing.T) {
	changes := fencedEngine(t, `case "$*" in
"ps"*) echo p1 ;;
"container inspect p1") echo '[`+inPowerService("p1", "sirikata-world-power", "running", testFencing().version())+`]' ;;
"cp p1:/sirikata/secret -") secret `+strings.Repeat("ab", 32)+` ;;
"exec --interactive sirikata-world-power /sirikata/fence_sirikata") grep -qx action=monitor ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac`)
	got, err := fenceDevice(t)
	want := provider.FenceDevice{Agent: "fence_sirikata", Secret: []byte(strings.Repeat("ab", 32)),
		Parameters: map[string]string{"address": "10.213.7.2:5410", "power_wait": "4"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, device (-want +got):\n%s", err, diff)
	}
	if did := changes(); did != "" {
		t.Errorf("changed: %s", did)
	}
}

// TestFenceDeviceFinishes: the predecessor is removed only by one who has another
// with its secret; what has no secret is given a moment, and then removed.
func TestFenceDeviceFinishes(t *testing.T) {
	changes := fencedEngine(t, `case "$*" in
"ps"*) echo p1 p2 p3 ;;
"container inspect"*) echo '[`+inPowerService("p1", "sirikata-world-power", "running", "old")+`,`+
		inPowerService("p2", "sirikata-world-power-next", "created", testFencing().version())+`,`+
		inPowerService("p3", "odd", "created", "x")+`]' ;;
"cp p3:"*) echo x >>looked; echo "Error: Could not find the file /sirikata/secret in container p3" >&2; exit 1 ;;
"cp "*) secret `+strings.Repeat("cd", 32)+` ;;
"rm --force --volumes p3") [ $(wc -l <looked) = 2 ] ;;
"rm --force --volumes p1"|"start p2"|"rename p2 sirikata-world-power"|"exec "*) ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac`)
	got, err := fenceDevice(t)
	if err != nil || string(got.Secret) != strings.Repeat("cd", 32) {
		t.Errorf("secret %q, error %v", got.Secret, err)
	}
	if did := changes(); did != "rm rm rm start rename" { // the odd one, twice, and the old one
		t.Errorf("changed: %s", did)
	}
}

func TestFenceDeviceFails(t *testing.T) {
	running := `"ps"*) echo p1 ;;
"container inspect p1") echo '[` + inPowerService("p1", "sirikata-world-power", "running", testFencing().version()) + `]' ;;
`
	for _, test := range []struct{ name, script, want, hint string }{
		{"not there", `"ps"*) echo "Error response from daemon: it rains" >&2; exit 1 ;;`,
			`make the power service of cluster "world": find nodes of cluster "world": docker ps: it rains`, ""},
		{"no answer", running + `"cp "*) secret ` + strings.Repeat("ab", 32) + ` ;;
"exec "*) echo "fence_sirikata: monitor: it is not well" >&2; exit 1 ;;`,
			`make the power service of cluster "world": too long: docker exec: fence_sirikata: monitor: it is not well`,
			"docker logs sirikata-world-power"},
		{"secret unreadable", running + `"cp "*) echo "Error response from daemon: input/output error" >&2; exit 1 ;;`,
			`make the power service of cluster "world": read the secret: docker cp: input/output error`, ""},
		{"always another", `"ps"*) ;;
"create "*) echo 'Error response from daemon: Conflict. The container name "/x" is already in use by container "y".' >&2; exit 1 ;;`,
			`make the power service of cluster "world": too long: another command changes it at the same time: docker create: ` +
				`Conflict. The container name "/x" is already in use by container "y".`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			changes := fencedEngine(t, `case "$*" in
`+test.script+`
*) echo "unexpected: $*" >&2; exit 9 ;;
esac`)
			_, err := fenceDevice(t)
			if err == nil || err.Error() != test.want || cluster.HintOf(err) != test.hint {
				t.Errorf("error\n%v\nwant\n%s\nhint %q, want %q", err, test.want, cluster.HintOf(err), test.hint)
			}
			if did := changes(); strings.Contains(did, "rm") {
				t.Errorf("changed: %s", did)
			}
		})
	}
}

func TestFenceDeviceWithoutNodes(t *testing.T) {
	fakeTool(t, "docker", `[ "$1" = ps ]`)
	_, err := fenceDevice(t)
	if err == nil || err.Error() != `make the power service of cluster "world": the cluster has no nodes yet` {
		t.Errorf("error %v", err)
	}
}

// TestDrills: what holds already is no error, and what the engine refuses is told.
func TestDrills(t *testing.T) {
	p, m := New(Options{}), provider.Machine{Name: "node1", ID: "12"}
	for _, test := range []struct {
		does func(context.Context, provider.Machine) error
		says string
		want string
	}{
		{p.Kill, "Cannot kill container: 12: Container 12 is not running", ""},
		{p.Start, "cannot start a paused container, try unpause instead", ""},
		{p.Freeze, "Container 12 is already paused", ""},
		{p.Thaw, "Container 12 is not paused", ""},
		{p.Freeze, "Container 12 is not running", "node1: freeze: docker pause: Container 12 is not running"},
		{p.Thaw, "No such container: 12", "node1: thaw: docker unpause: No such container: 12"},
	} {
		fakeTool(t, "docker", `echo "Error response from daemon: `+test.says+`" >&2; exit 1`)
		got := ""
		if err := test.does(t.Context(), m); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: error %q, want %q", test.says, got, test.want)
		}
	}
}

// TestReleaseMachine removes the container of that index, whatever its id is now,
// and no other.
func TestReleaseMachine(t *testing.T) {
	dir := t.TempDir()
	fakeTool(t, "docker", `case "$1 $2" in
"ps --all") echo c0 c1 ;;
"container inspect") echo '[{"Id":"c0","Config":{"Labels":{"`+indexLabel+`":"0"}}},{"Id":"c1","Config":{"Labels":{"`+indexLabel+`":"1"}}}]' ;;
"rm --force") echo "$4" >>`+dir+`/removed ;;
*) exit 9 ;;
esac`)
	if err := New(Options{}).ReleaseMachine(t.Context(), cluster.Spec{Name: "world"}, provider.Machine{Index: 1, ID: "old"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "removed")); string(got) != "c1\n" {
		t.Errorf("removed %q", got)
	}
}
