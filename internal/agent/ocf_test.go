package agent

import (
	"bytes"
	"context"
	"encoding/xml"
	"flag"
	"os"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

var update = flag.Bool("update", false, "write the golden files")

func runMain(args []string, environ ...string) (status int, stdout, stderr string) {
	var out, problems bytes.Buffer
	status = Main(context.Background(), Process{Args: args, Environ: environ, Stdout: &out, Stderr: &problems, Version: "1.2.3"})
	return status, out.String(), problems.String()
}

func TestCommandLine(t *testing.T) {
	tests := []struct {
		name           string
		args           []string
		environ        []string
		status         int
		stdout, stderr string
	}{
		{"version", []string{"/usr/lib/sirikata-cluster/sirikata-node", "version"}, nil, 0, "1.2.3\n", ""},
		{"no subcommand", []string{"sirikata-node"}, nil, 2, "",
			"sirikata-node: error: unknown subcommand\nsirikata-node: hint: the subcommands are: direct, files, guard, keep, load, power-service, refill, release, version\n"},
		{"no action", []string{"/x/service"}, nil, 3, "", "ocf-exit-reason:action \"\" is not implemented\n"},
		{"other action", []string{"service", "promote"}, nil, 3, "", "ocf-exit-reason:action \"promote\" is not implemented\n"},
		{"not a service", []string{"service", "monitor"}, []string{"OCF_RESOURCE_INSTANCE=ip"}, 6, "",
			"ocf-exit-reason:resource \"ip\" is not a service: its id must be service-ID\n"},
	}
	for _, test := range tests {
		status, stdout, stderr := runMain(test.args, test.environ...)
		if status != test.status || stdout != test.stdout || stderr != test.stderr {
			t.Errorf("%s: %d %q %q; want %d %q %q", test.name, status, stdout, stderr, test.status, test.stdout, test.stderr)
		}
	}
}

func TestReasonIsASCII(t *testing.T) {
	var line bytes.Buffer
	fail(errGeneric, "it printed: \"ü <b> & 漢字…").print(&line)
	if want := "ocf-exit-reason:it printed: \"? <b> & ??...\n"; line.String() != want {
		t.Errorf("%q, want %q", line.String(), want)
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		action string
		code   code
		want   code
	}{
		{"start", errInstalled, errGeneric},
		{"start", errPerm, errPerm},
		{"start", success, success},
		{"validate-all", errInstalled, errInstalled},
		{"monitor", notRunning, notRunning},
	} {
		if got := (outcome{code: test.code}).status(test.action); got != test.want {
			t.Errorf("%s with %d is %d, want %d", test.action, test.code, got, test.want)
		}
	}
}

func TestMetadata(t *testing.T) {
	const golden = "testdata/meta-data.xml"
	_, got, _ := runMain([]string{"service", "meta-data"})
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("meta-data (-want +got), -update to accept:\n%s", diff)
	}
	if err := xml.Unmarshal([]byte(got), &metaAgent{}); err != nil {
		t.Error(err)
	}
}

// TestMetadataHasEveryParameter ties the agent's table to the names in which a
// definition travels.
func TestMetadataHasEveryParameter(t *testing.T) {
	params, err := cluster.Service{}.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"generation"}
	for name := range params {
		want = append(want, name)
	}
	var got []string
	for _, p := range parameters() {
		got = append(got, p.name)
	}
	sort.Strings(want)
	sort.Strings(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}
