package cluster_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func TestErrorTexts(t *testing.T) {
	for _, test := range []struct {
		err  error
		text string
		hint string
	}{
		{
			err:  &cluster.NotFoundError{Kind: "cluster", Name: "wörld", Known: []string{"demo", "lab"}},
			text: `cluster "wörld" does not exist`,
			hint: "the clusters are demo, lab",
		}, {
			err:  &cluster.NotFoundError{Kind: "cluster", Name: "world"},
			text: `cluster "world" does not exist`,
		}, {
			err:  &cluster.NotFoundError{Kind: "node", Name: "node9", In: "world", Known: []string{"node0"}},
			text: `node "node9" is not in cluster "world"`,
			hint: "the only node is node0",
		}, {
			err:  &cluster.NodeError{Node: "node1", Err: errors.New("it rains")},
			text: "node1: it rains",
		}, {
			err:  cluster.WithHint(errors.New("it rains"), "wait %d minutes", 5),
			text: "it rains",
			hint: "wait 5 minutes",
		}, {
			err:  &cluster.InvalidError{What: "umbrella", Faults: []cluster.Fault{{Problem: "it is red"}, {Field: "size", Problem: "is 0"}}},
			text: "invalid umbrella: it is red; size: is 0",
		},
	} {
		if got := test.err.Error(); got != test.text {
			t.Errorf("text\n%s\nwant\n%s", got, test.text)
		}
		if got := cluster.HintOf(test.err); got != test.hint {
			t.Errorf("%v: hint %q, want %q", test.err, got, test.hint)
		}
	}
}

func TestHintOf(t *testing.T) {
	plain := errors.New("plain")
	inner := cluster.WithHint(plain, "inner")
	silent := &cluster.NotFoundError{Kind: "cluster", Name: "world"}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"none", plain, ""},
		{"wrapped", fmt.Errorf("outer: %w", inner), "inner"},
		{"node", &cluster.NodeError{Node: "node1", Err: inner}, "inner"},
		{"outermost", cluster.WithHint(fmt.Errorf("outer: %w", inner), "outer"), "outer"},
		{"joined", errors.Join(plain, inner, cluster.WithHint(plain, "later")), "inner"},
		{"wrapped join", fmt.Errorf("outer: %w", errors.Join(plain, inner)), "inner"},
		{"one without words comes first", errors.Join(silent, inner), "inner"},
		{"one without words is outside", fmt.Errorf("%w: %w", silent, inner), "inner"},
		{"one without words alone", silent, ""},
	} {
		if got := cluster.HintOf(test.err); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestWithHintKeepsTheError(t *testing.T) {
	if err := cluster.WithHint(nil, "nothing to hint at"); err != nil {
		t.Errorf("a hint made an error of nil: %v", err)
	}
	err := &cluster.NodeError{Node: "node1", Err: fmt.Errorf("add: %w", cluster.ErrServiceExists)}
	hinted := cluster.WithHint(err, "look")
	var node *cluster.NodeError
	if !errors.As(hinted, &node) || node != err || !errors.Is(hinted, cluster.ErrServiceExists) {
		t.Errorf("%v does not lead to %v and %v", hinted, err, cluster.ErrServiceExists)
	}
}
