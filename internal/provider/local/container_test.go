package local

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/provider"
)

const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFyTVQcs0fD2Xq0T3ozI0m1G7RZk9eD8m1c3oQkz8a2B me"

// recorded is what docker container inspect said of a node that runs, one that
// is off, one with a published port and one that was never started.
func recorded(t *testing.T) []container {
	t.Helper()
	text, err := os.ReadFile("testdata/container-20.10.24.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []container
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return nodesOf(all)
}

func TestParseContainers(t *testing.T) {
	containers := recorded(t)
	var machines []provider.Machine
	var made []bool
	for _, c := range containers {
		machines = append(machines, c.machine())
		made = append(made, c.made())
	}
	want := []provider.Machine{
		{
			Index: 0, Name: "node0", Running: true,
			ID:      "bc737721d81d97aa64ee60b1459c210cb1dec39903a70fbc018aeba027d5ed9c",
			Connect: "10.213.124.10:22", Address: "10.213.124.10", FQDN: "10.213.124.10",
			HostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM8GEEzjS8Qq/Q3WevfhQap5jbWx2I/O8Dz1fA5H1CWf",
		}, {
			Index: 1, Name: "node1", Running: false,
			ID:      "a55aaabd646aee485834d5d8bfdc4da5781f5eb0ea9464900377cd38ac4a38b4",
			Connect: "10.213.124.11:22", Address: "10.213.124.11", FQDN: "10.213.124.11",
			HostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPbeb6uIu8W1Lxg4Jp42/fF7nsrEB940vdKdtZ85ARuX",
		}, {
			Index: 2, Name: "node2", Running: true,
			ID:      "28c7d12c640f215b8c534073ef672922b331bad50ea43dba42fdf4289a1fecd5",
			Connect: "127.0.0.1:32768", Address: "10.213.124.12", FQDN: "10.213.124.12",
			HostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINOve+hJVztNfzsm+WiFo8a/Q5Bsii5r4sxygegMm08s",
		},
	}
	if diff := cmp.Diff(want, machines[:3]); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
	if want := []bool{true, true, true, false}; !slices.Equal(made, want) {
		t.Errorf("made: %v, want %v", made, want)
	}
}

func TestNodesOf(t *testing.T) {
	labelled := func(index string) (c container) {
		c.Config.Labels = map[string]string{indexLabel: index}
		return c
	}
	if nodes := nodesOf([]container{labelled("x"), labelled("-1"), {}}); len(nodes) > 0 {
		t.Errorf("containers without an index: %v", nodes)
	}
}

// TestInspectGarbage: half an answer is no answer.
func TestInspectGarbage(t *testing.T) {
	fakeTool(t, "docker", `case "$1" in ps) echo 1 ;; *) echo '[{"Id":' ;; esac`)
	if _, err := New(Options{}).Find(t.Context(), cluster.Spec{Name: "world"}); err == nil {
		t.Error("no error for cut-off JSON")
	}
}

func TestPlan(t *testing.T) {
	have := recorded(t)
	id := func(i int) string { return have[i].ID }
	for _, test := range []struct {
		name    string
		have    []container
		size    int
		removed []int
		want    []step
	}{
		{"nothing there", nil, 2, nil, []step{{index: 0}, {index: 1}}},
		{"all run", have[:1], 1, nil, nil},
		{"off, unfinished and missing", have, 5, nil,
			[]step{{index: 1, start: id(1)}, {index: 3, redo: id(3)}, {index: 4}}},
		{"more than asked for", have, 1, nil, []step{{index: 1, start: id(1)}, {index: 3, redo: id(3)}}},
		{"a gap", have[1:3], 3, nil, []step{{index: 0}, {index: 1, start: id(1)}}},
		{"removed and gone", have[:1], 3, []int{1}, []step{{index: 2}, {index: 3}}},
		{"removed and not gone", have, 3, []int{1, 3}, []step{{index: 4}}},
	} {
		got := plan(test.have, cluster.Spec{Size: test.size, Removed: test.removed})
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(step{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestCreateArgs(t *testing.T) {
	a := &allocation{
		Provider: New(Options{Labels: map[string]string{"b": "2", "a": "1"}}),
		name:     "world", image: "image:1", cgroup: "1", subnet: netip.MustParsePrefix("10.213.7.0/24"),
	}
	got := strings.Join(a.createArgs(3, "ssh-ed25519 AAAA"), "\n")
	want, err := os.ReadFile("testdata/create.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), got); diff != "" {
		t.Errorf("docker create (-want +got):\n%s", diff)
	}
	a.cgroup, a.options.PublishSSH = "2", true
	args := a.createArgs(3, "ssh-ed25519 AAAA")
	joined := strings.Join(args, " ")
	for _, part := range []string{"--cgroupns private", "--publish 127.0.0.1::22"} {
		if !strings.Contains(joined, part) {
			t.Errorf("cgroup v2, published: no %q in %s", part, joined)
		}
	}
	if strings.Contains(joined, "/sys/fs/cgroup") || strings.Contains(joined, "privileged") {
		t.Errorf("cgroup v2: %s", joined)
	}
}

func TestKeyFiles(t *testing.T) {
	hostKey, archive, err := keyFiles(testKey)
	if err != nil {
		t.Fatal(err)
	}
	type file struct {
		mode int64
		data string
	}
	files := make(map[string]file)
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
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", header.Name, header.Uid, header.Gid)
		}
		files[header.Name] = file{header.Mode, string(data)}
	}
	private := files["etc/ssh/ssh_host_ed25519_key"]
	signer, err := ssh.ParsePrivateKey([]byte(private.data))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))); got != hostKey {
		t.Errorf("the private key is of %s, not of %s", got, hostKey)
	}
	want := map[string]file{
		"etc/ssh/ssh_host_ed25519_key":     {0o600, private.data},
		"etc/ssh/ssh_host_ed25519_key.pub": {0o644, hostKey + "\n"},
		"root/.ssh/":                       {0o700, ""},
		"root/.ssh/authorized_keys":        {0o600, testKey + "\n"},
	}
	if diff := cmp.Diff(want, files, cmp.AllowUnexported(file{})); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
