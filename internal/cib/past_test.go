package cib_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/internal/cib"
)

// TestParsePast reads what was written, of the whole configuration and of its
// options alone.
func TestParsePast(t *testing.T) {
	text, err := testSettings().Fragment()
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text)
	begin, end := strings.Index(whole, "<crm_config>"), strings.Index(whole, "</crm_config>")
	options := whole[begin:end] + "</crm_config>"
	want := testSettings().Past
	for name, test := range map[string]struct {
		text string
		want cluster.Past
	}{
		"configuration":           {whole, want},
		"options":                 {options, want},
		"of another set as well":  {strings.Replace(options, "<cluster_property_set", `<cluster_property_set id="a"/><cluster_property_set`, 1), want},
		"nothing was removed":     {strings.Replace(options, `value="1 4"`, `value=""`, 1), cluster.Past{Used: 6}},
		"a cluster that does not": {`<crm_config><cluster_property_set id="x"/></crm_config>`, cluster.Past{}},
	} {
		got, err := cib.ParsePast([]byte(test.text))
		if err != nil || !cmp.Equal(got, test.want) {
			t.Errorf("%s: %+v (%v), want %+v", name, got, err, test.want)
		}
	}
	for _, bad := range []string{"<crm_config", strings.Replace(options, `value="6"`, `value="six"`, 1), strings.Replace(options, "1 4", "1,4", 1)} {
		if got, err := cib.ParsePast([]byte(bad)); err == nil {
			t.Errorf("%s is %+v", bad, got)
		}
	}
}
