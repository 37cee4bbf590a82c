package agent

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sirikata/sirikata-cluster/internal/release"
)

func TestReleaseCommandLine(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"", "it takes look, install or switch"},
		{"look", "--path is missing"},
		{"look --path /x y", `"y" is too much`},
		{"look --path /x --size many", "invalid value"},
		{"remove --path /x", `"remove" is not look, install or switch`},
		{"install --path /x --digest d", "install takes --stdin and --stream"},
	} {
		var out, words bytes.Buffer
		args := append([]string{"sirikata-node", "release"}, strings.Fields(test.args)...)
		code := Main(t.Context(), Process{Args: args, Stdout: &out, Stderr: &words})
		if code != exitUsage || !strings.Contains(words.String(), test.want) || out.Len() > 0 {
			t.Errorf("%q: %d, %q, %q", test.args, code, out.String(), words.String())
		}
	}
}

// TestReleaseAnswers has faults in the answer, and only there.
func TestReleaseAnswers(t *testing.T) {
	path := t.TempDir()
	for args, want := range map[string]release.State{
		"look":                      {},
		"look --stream x":           {},
		"switch --digest not-a-one": {Fault: release.Failed, Reason: "the digest or the stream's name is not one"},
		"install --stdin --stream ../x --digest " + strings.Repeat("0", 64): {Fault: release.Failed, Reason: "the digest or the stream's name is not one"},
		"switch --digest " + strings.Repeat("0", 64):                        {Fault: release.Failed, Reason: "there is no release " + strings.Repeat("0", 64) + " in " + path},
		"switch --owner nobody-of-that-name --digest x":                     {Fault: release.Failed, Reason: `user "nobody-of-that-name": does not exist`},
	} {
		var out, words bytes.Buffer
		argv := append([]string{"sirikata-node", "release"}, strings.Fields(args)...)
		code := Main(t.Context(), Process{Args: append(argv, "--path", path), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &words})
		var got release.State
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || code != 0 || got.Fault != want.Fault || got.Reason != want.Reason {
			t.Errorf("%q: %d, %+v, %s (%v)", args, code, got, words.String(), err)
		}
	}
}

func TestFilesCommandLine(t *testing.T) {
	for _, args := range []string{"", "send", "take /x", "send /x /y"} {
		var words bytes.Buffer
		if code := Main(t.Context(), Process{Args: append([]string{"sirikata-node", "files"}, strings.Fields(args)...), Stderr: &words}); code != exitUsage {
			t.Errorf("%q: %d, %q", args, code, words.String())
		}
	}
}
