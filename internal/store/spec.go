package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Create remembers the spec. created is false, without an error, if the very
// same spec is remembered already; another one under that name is an
// [*ExistsError]. A process that is killed leaves all of it or nothing.
func (s *Store) Create(spec cluster.Spec) (created bool, err error) {
	if err := spec.Validate(); err != nil {
		return false, err
	}
	text, err := seal(spec)
	if err != nil {
		return false, err
	}
	dir := s.path(spec.Name, "")
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return false, explain("make", dir, err)
	}
	if created, err = create(s.path(spec.Name, specFile), text); created || err != nil {
		return created, err
	}
	have, err := s.Spec(spec.Name)
	if err != nil {
		return false, err
	}
	if differences := compare(have, spec); len(differences) > 0 {
		return false, &ExistsError{Name: spec.Name, Differences: differences}
	}
	return false, nil
}

// Update replaces the spec of a cluster that is remembered. Hold its lock.
func (s *Store) Update(spec cluster.Spec) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	if err := s.exists(spec.Name); err != nil {
		return err
	}
	text, err := seal(spec)
	if err != nil {
		return err
	}
	return replace(s.path(spec.Name, specFile), text)
}

// Spec returns what was asked for. Errors: [*cluster.NotFoundError],
// [*FormatError], [*CorruptError].
func (s *Store) Spec(name string) (cluster.Spec, error) {
	if err := cluster.ValidateName(name); err != nil {
		return cluster.Spec{}, err
	}
	file := s.path(name, specFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return cluster.Spec{}, s.notFound(name)
	}
	if err != nil {
		return cluster.Spec{}, explain("read", file, err)
	}
	var spec cluster.Spec
	err = unseal(file, text, &spec)
	if err == nil && spec.Name != name {
		err = &CorruptError{File: file, Err: fmt.Errorf("it is of a cluster %q", spec.Name)}
	}
	if err == nil {
		if fault := spec.Validate(); fault != nil {
			err = &CorruptError{File: file, Err: fault}
		}
	}
	if corrupt, ok := errors.AsType[*CorruptError](err); ok {
		corrupt.hint = fmt.Sprintf("delete %s and create the cluster again: its nodes will be found, and keep running", file)
	}
	if err != nil {
		return cluster.Spec{}, err
	}
	return spec, nil
}

// List returns all specs by name. Those that cannot be read are left out and
// reported together in the error, which then comes beside the others.
func (s *Store) List() ([]cluster.Spec, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var (
		specs  []cluster.Spec
		faults []error
	)
	for _, name := range names {
		spec, err := s.Spec(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		specs = append(specs, spec)
	}
	return specs, errors.Join(faults...)
}
