package referee

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

func newReferee(t *testing.T) *Referee {
	t.Helper()
	r, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// eventually fails the test if check does not hold soon.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for begin := time.Now(); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("still waiting until %s", what)
		}
	}
}

// write sends text over a connection of its own and ends it.
func write(t *testing.T, r *Referee, text string) {
	t.Helper()
	connection, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestHolderBeats(t *testing.T) {
	r := newReferee(t)
	ctx, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	begin := Now()
	go func() {
		defer close(done)
		Holder{Service: "s", Node: "n0", Referee: r.Address()}.Work(ctx)
	}()
	eventually(t, "ten beats are there", func() bool { v := r.View(); return len(v.Incarnations) == 1 && v.Incarnations[0].Beats >= 10 })
	told := Now()
	end()
	<-done
	ended := Now()
	eventually(t, "it has worked on after it was told to end", func() bool { return r.View().Incarnations[0].Last() >= told+lastWork/2 })
	got := r.View().Incarnations[0]
	if got.Service != "s" || got.Node != "n0" || got.First() < begin || got.Last() > ended {
		t.Errorf("the referee knows %+v; it worked from %v to %v", got, begin, ended)
	}
	if ended-told > time.Minute || ended-told < lastWork {
		t.Errorf("it ended %v after it was told to", ended-told)
	}
	if err := r.Faults(); err != nil {
		t.Error(err)
	}
}

// TestHolderOutlivesTheReferee has the referee go away and come back.
func TestHolderOutlivesTheReferee(t *testing.T) {
	first, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := first.Address()
	ctx, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); Holder{Service: "s", Node: "n0", Referee: address}.Work(ctx) }()
	eventually(t, "the first referee hears it", func() bool { return len(first.View().Incarnations) == 1 })
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	var second *Referee
	eventually(t, "the address is free again", func() bool { second, err = Listen(address); return err == nil })
	back := Now()
	eventually(t, "the second referee hears it", func() bool { return len(second.View().Incarnations) == 1 })
	if a, b := first.View().Incarnations[0], second.View().Incarnations[0]; a.ID != b.ID || b.First() < back-2*sendLimit {
		t.Errorf("the second referee, there since %v, hears %+v; the first heard %+v", back, b, a)
	}
	end()
	<-done
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTwoHolders(t *testing.T) {
	r := newReferee(t)
	ctx, end := context.WithCancel(context.Background())
	defer end()
	for _, node := range []string{"n0", "n1"} {
		go Holder{Service: "s", Node: node, Referee: r.Address()}.Work(ctx)
	}
	eventually(t, "the referee sees the two", func() bool { return len(r.View().Doubles()) == 1 })
}

func TestHalfALine(t *testing.T) {
	r := newReferee(t)
	write(t, r, "s n0 A 5\ns n0 A 3")
	write(t, r, "s n0 B 5\n")
	eventually(t, "both are there", func() bool { return len(r.View().Incarnations) == 2 })
	if got := r.View().Incarnations[0]; got.Beats != 1 || got.First() != 5 {
		t.Errorf("it took %+v", got)
	}
	if err := r.Faults(); err != nil {
		t.Error(err)
	}
}

func TestNonsenseIsAFault(t *testing.T) {
	for text, want := range map[string]string{
		"hello\n":                  "not a beat",
		strings.Repeat("x", 600):   "without an end",
		"s n0 A 1\ns n1 A 2\n":     "that incarnation is of service s on n0",
		"s n0 A 1\nother n0 A 2\n": "that incarnation is of service s on n0",
		fmt.Sprintf("s n0 A %d\n", (Now() + time.Hour).Nanoseconds()): "from the future",
	} {
		r := newReferee(t)
		write(t, r, text)
		eventually(t, "it is told", func() bool { return r.Faults() != nil })
		if got := r.Faults().Error(); !strings.Contains(got, want) {
			t.Errorf("%.40q is told as %q, without %q", text, got, want)
		}
	}
}
