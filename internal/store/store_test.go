package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func testSpec(name string) cluster.Spec {
	return cluster.Spec{
		Name: name, Type: cluster.Local, Engine: cluster.Pacemaker, Size: 3, TokenProfile: cluster.LAN,
		ServiceUser: "sirikata", SirikataPath: "/opt/sirikata", WorkingPath: "/var/tmp", WorkspacePath: "/var/lib/x",
	}
}

// testStore is a store, in a directory that is not there yet, with one cluster.
func testStore(t *testing.T) *Store {
	t.Helper()
	s := Open(filepath.Join(t.TempDir(), "home", "store"))
	if created, err := s.Create(testSpec("world")); err != nil || !created {
		t.Fatalf("create: %v, %v", created, err)
	}
	return s
}

func TestCreate(t *testing.T) {
	s := testStore(t)
	got, err := s.Spec("world")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(testSpec("world"), got); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	if created, err := s.Create(testSpec("world")); created || err != nil {
		t.Errorf("the same again: %v, %v", created, err)
	}
	other := testSpec("world")
	other.Size, other.LoginUser, other.WorkingPath = 5, "admin", "/srv"
	created, err := s.Create(other)
	exists, ok := errors.AsType[*ExistsError](err)
	if created || !ok {
		t.Fatalf("another spec: %v, %v", created, err)
	}
	want := []string{`login_user is nothing, not "admin"`, `size is 3, not 5`, `working_path is "/var/tmp", not "/srv"`}
	if diff := cmp.Diff(want, exists.Differences); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if got, err := s.Spec("world"); err != nil || got.Size != 3 {
		t.Errorf("the refused spec changed something: %+v, %v", got, err)
	}
	if _, err := s.Create(cluster.Spec{Name: "../x"}); err == nil {
		t.Error("no error for an invalid spec")
	}
}

func TestModes(t *testing.T) {
	s := testStore(t)
	if _, _, _, err := s.Key("world"); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveCache("world", "machines", 1); err != nil {
		t.Fatal(err)
	}
	unlock, err := s.Lock("world", "test")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	var files []string
	err = filepath.WalkDir(s.Dir(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fileMode
		if entry.IsDir() {
			want = dirMode
		} else {
			files = append(files, entry.Name())
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"id_ed25519", "id_ed25519.pub", "lock", "machines.json", "spec.json"}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestCreateRace: of many different specs at once exactly one is remembered.
func TestCreateRace(t *testing.T) {
	s := Open(t.TempDir())
	var (
		wait    sync.WaitGroup
		created [8]bool
		errs    [8]error
	)
	for i := range created {
		wait.Go(func() {
			spec := testSpec("world")
			spec.Size = i + 1
			created[i], errs[i] = s.Create(spec)
		})
	}
	wait.Wait()
	winner := -1
	for i := range created {
		if created[i] && winner >= 0 {
			t.Errorf("both %d and %d were created", winner, i)
		}
		if created[i] {
			winner = i
		}
		if _, exists := errors.AsType[*ExistsError](errs[i]); exists == created[i] {
			t.Errorf("%d: created %v, error %v", i, created[i], errs[i])
		}
	}
	if spec, err := s.Spec("world"); err != nil || spec.Size != winner+1 {
		t.Errorf("%d was created, remembered is %+v, %v", winner, spec, err)
	}
}

func TestUpdate(t *testing.T) {
	s := testStore(t)
	spec := testSpec("world")
	spec.Size = 4
	if err := s.Update(spec); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Spec("world"); err != nil || got.Size != 4 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.Update(testSpec("other")); !isNotFound(err) {
		t.Errorf("update of another: %v", err)
	}
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*cluster.NotFoundError](err)
	return ok
}

func TestNotFound(t *testing.T) {
	s := testStore(t)
	if _, err := s.Create(testSpec("alpha")); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"spec":   func() error { _, err := s.Spec("x"); return err },
		"lock":   func() error { _, err := s.Lock("x", ""); return err },
		"key":    func() error { _, _, _, err := s.Key("x"); return err },
		"save":   func() error { return s.SaveCache("x", "machines", 1) },
		"load":   func() error { _, err := s.LoadCache("x", "machines", new(int)); return err },
		"update": func() error { return s.Update(testSpec("x")) },
	}
	want := &cluster.NotFoundError{Kind: "cluster", Name: "x", Known: []string{"alpha", "world"}}
	for name, call := range calls {
		got, ok := errors.AsType[*cluster.NotFoundError](call())
		if !ok {
			t.Errorf("%s: no NotFoundError", name)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := s.Spec("../world"); err == nil || isNotFound(err) {
		t.Errorf("a name that is a path: %v", err)
	}
	if err := s.Remove("../clusters"); err == nil {
		t.Error("remove of a path: no error")
	}
}

func TestListAndBrokenFiles(t *testing.T) {
	s := testStore(t)
	for name, text := range map[string]string{
		"cut":    `{"format":1,"da`,
		"newer":  `{"format":2,"data":{"name":"newer"},"more":{}}`,
		"none":   `{"name":"none"}`,
		"mixed":  `{"format":1,"data":{"name":"world","size":1,"token_profile":"lan"}}`,
		"faulty": `{"format":1,"data":{"name":"faulty","size":0,"token_profile":"lan"}}`,
		"extra":  `{"format":1,"data":{"name":"extra","size":1,"token_profile":"lan","colour":"red"},"x":1}`,
	} {
		if err := os.MkdirAll(s.path(name, ""), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.path(name, specFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(s.path("half", ""), 0o700); err != nil { // a killed Create
		t.Fatal(err)
	}
	specs, err := s.List()
	var names []string
	for _, spec := range specs {
		names = append(names, spec.Name)
	}
	if diff := cmp.Diff([]string{"extra", "world"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"cut", "faulty", "mixed", "newer", "none"} {
		if file := s.path(name, specFile); strings.Count(err.Error(), file) != 1 {
			t.Errorf("%s is not named once in %v", file, err)
		}
		_, one := s.Spec(name)
		newer, isNewer := errors.AsType[*FormatError](one)
		_, isCorrupt := errors.AsType[*CorruptError](one)
		if isNewer != (name == "newer") || isCorrupt == isNewer || cluster.HintOf(one) == "" {
			t.Errorf("%s: %T %v, hint %q", name, one, one, cluster.HintOf(one))
		}
		if isNewer && (newer.Format != 2 || newer.Known != 1 || !strings.Contains(one.Error(), "written by a newer version")) {
			t.Errorf("newer: %v", one)
		}
	}
	if specs, err := Open(filepath.Join(t.TempDir(), "no")).List(); len(specs) > 0 || err != nil {
		t.Errorf("list of no store: %v, %v", specs, err)
	}
}

func TestRemove(t *testing.T) {
	s := testStore(t)
	if _, _, _, err := s.Key("world"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Remove("world"); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.path("world", "")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still there: %v", err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(s.Dir(), clustersDir)); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if created, err := s.Create(testSpec("world")); err != nil || !created {
		t.Errorf("create again: %v, %v", created, err)
	}
	never := Open(filepath.Join(t.TempDir(), "never"))
	if err := never.Remove("world"); err != nil || !missing(never.Dir()) {
		t.Errorf("remove from a store that is not there: %v", err)
	}
}

// TestRemoveSweeps: what a killed Remove left behind, the next one removes.
func TestRemoveSweeps(t *testing.T) {
	s := testStore(t)
	left := filepath.Join(s.Dir(), clustersDir, ".removed-world", "x")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if specs, err := s.List(); len(specs) != 1 || err != nil {
		t.Errorf("list: %v, %v", specs, err)
	}
	if err := s.Remove("world"); err != nil || !missing(left) {
		t.Errorf("%v, still there: %v", err, !missing(left))
	}
}
