package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitHosts(t *testing.T) {
	for text, want := range map[string][]string{
		`{"dns_name": "a"}`: {`{"dns_name": "a"}`},
		"\n[\n  {\"dns_name\": \"a\"} ,\n{\n\"dns_name\": \"b\", \"port\": 22\n}\n ]\n": {`{"dns_name": "a"}`, "{\n\"dns_name\": \"b\", \"port\": 22\n}"},
	} {
		words, err := SplitHosts("f", []byte(text))
		if diff := cmp.Diff(want, words); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
		if _, _, err := ParseHosts(words, 0, nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestSplitHostsFaults names the file and the place, and never a value of a fence.
func TestSplitHostsFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "it is empty: give an object",
		" \n":                                    "it is empty: give an object",
		"[ ]":                                    "there is no host in it: give an object",
		"null":                                   "line 1: it is not a host: give an object",
		"\n[{\"dns_name\": \"a\"},\n\"s3cret\"]": "line 3: it is not a host: give an object",
		"[\n{\"dns_name\": s3cret}]":             "line 2, column 14: invalid character 's' looking for beginning of value",
		"[{\"dns_name\": \"s3cret\"":             "column 22: unexpected end of JSON input",
		"{\"dns_name\": \"a\"}\n{}":              "line 2, column 1: invalid character '{' after top-level value",
		"[{\"prt\": 1},\n{\"dns_name\": \"a\", \"port\": \"b\"}]":                             "line 1: prt: there is no such key; do you mean \"port\"?; line 2: port: is a string, but must be a whole number",
		"{\"dns_name\": \"a\", \"fence\": \"s3cret\"}":                                        "line 1: fence: is a string, but must be an object of texts",
		"[\n{\"dns_name\": \"a\", \"fence\": {\"agent\": \"fence_x\", \"password\": \"…\"}}]": "line 2: fence: password: \"…\" only stands for a value: give the value",
	} {
		words, err := SplitHosts("hosts.json", []byte(text))
		if err == nil || words != nil {
			t.Errorf("%s: %q", text, words)
			continue
		}
		if got := err.Error(); !strings.HasPrefix(got, "invalid hosts of hosts.json: "+want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s\n got: %s\nwant: %s", text, got, want)
		}
	}
}
