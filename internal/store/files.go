package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// format is the version of every JSON file here. Raise it when an older
// version must not read what this one writes.
const format = 1

// envelope is what every JSON file here looks like.
type envelope struct {
	Format int             `json:"format"`
	Data   json.RawMessage `json:"data"`
}

func seal(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	text, err := json.MarshalIndent(envelope{Format: format, Data: data}, "", "  ")
	return append(text, '\n'), err
}

// unseal decodes into v. Names that we do not know are ignored: they are what
// a newer version may add without raising the format.
func unseal(file string, text []byte, v any) error {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return &CorruptError{File: file, Err: err}
	}
	if e.Format > format {
		return &FormatError{File: file, Format: e.Format, Known: format}
	}
	if e.Format < 1 {
		return &CorruptError{File: file, Err: errors.New("it has no format number")}
	}
	if err := json.Unmarshal(e.Data, v); err != nil {
		return &CorruptError{File: file, Err: err}
	}
	return nil
}

// replace writes the file as a whole or not at all.
func replace(path string, data []byte) error {
	err := renameio.WriteFile(path, data, fileMode,
		renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(fileMode))
	if err != nil {
		return explain("write", path, err)
	}
	return nil
}

// create writes the file as a whole unless it exists, and says whether it did.
// Of many who try at once exactly one does: link(2) never replaces.
func create(path string, data []byte) (created bool, err error) {
	pending, err := renameio.NewPendingFile(path,
		renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(fileMode))
	if err != nil {
		return false, explain("write", path, err)
	}
	defer pending.Cleanup() //nolint:errcheck // the link is what counts
	if _, err = pending.Write(data); err == nil {
		err = pending.Sync()
	}
	if err == nil {
		err = os.Link(pending.Name(), path)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case err != nil:
		return false, explain("write", path, err)
	}
	return true, nil
}

// readOrCreate returns the content of the file, which it makes from generate
// if there is none, and whether it made it.
func readOrCreate(path string, generate func() ([]byte, error)) (data []byte, created bool, err error) {
	data, err = os.ReadFile(path)
	if err == nil {
		return data, false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, explain("read", path, err)
	}
	fresh, err := generate()
	if err != nil {
		return nil, false, err
	}
	if created, err = create(path, fresh); err != nil {
		return nil, false, err
	}
	if created {
		return fresh, true, nil
	}
	data, err = os.ReadFile(path)
	if err != nil {
		return nil, false, explain("read", path, err)
	}
	return data, false, nil
}
