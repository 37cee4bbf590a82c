package local

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/sirikata/sirikata-cluster/cluster"
)

func (f *fencing) finalName() string { return "sirikata-" + f.name + "-" + powerRole }

// nextName is the name of one that has not yet taken its predecessor's place.
func (f *fencing) nextName() string { return f.finalName() + "-next" }

// createArgs is the command line of docker create. Root in this container may do
// nothing but use its files and connections.
func (f *fencing) createArgs() []string {
	args := []string{
		"create",
		"--name", f.nextName(), "--hostname", powerRole,
		"--network", networkName(f.name), "--ip", f.address.String(),
		"--restart", "unless-stopped", // it is there again when the engine is
		"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--security-opt", "label=disable", // SELinux would keep it from the socket
		"--volume", powerDir, // in a read-only container docker cp writes to volumes only
		"--volume", f.socket + ":" + powerEngine,
		"--entrypoint", powerDir + "/" + powerProgram,
	}
	args = append(args, f.labels(f.name)...)
	args = append(args, "--label", roleLabel+"="+powerRole, "--label", powerLabel+"="+f.version(), f.image)
	return append(args, f.serviceArgs()...)
}

// serviceArgs are those of the program in the container.
func (f *fencing) serviceArgs() []string {
	return []string{
		"power-service",
		"--listen", ":" + powerPort, "--secret", powerDir + "/" + powerSecret, "--engine", powerEngine,
		"--label", ClusterLabel + "=" + f.name, "--index-label", indexLabel,
	}
}

// version is another one whenever the container would be another one. It has the
// network's id: a container cannot start on a network that was made anew.
func (f *fencing) version() string {
	hash := sha256.New()
	hash.Write(f.program)
	fmt.Fprintf(hash, "%q %q %q %q", f.network, f.address, f.socket, f.serviceArgs())
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// create makes a container that is complete but for its start.
func (f *fencing) create(ctx context.Context, secret []byte) error {
	id, err := f.docker.word(ctx, f.createArgs()...)
	if err != nil {
		return err
	}
	files, err := f.files(secret)
	if err != nil {
		return err
	}
	_, err = f.docker.run(ctx, files, "cp", "-", id+":"+powerDir)
	return err
}

// files is a tar of what the container gets. The secret is last: a container that
// has it has everything.
func (f *fencing) files(secret []byte) (io.Reader, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, file := range []struct {
		header tar.Header
		data   []byte
	}{
		{tar.Header{Name: powerProgram, Mode: 0o755}, f.program},
		{tar.Header{Name: cluster.FenceAgent, Typeflag: tar.TypeSymlink, Linkname: powerProgram}, nil},
		{tar.Header{Name: powerSecret, Mode: 0o600}, secret},
	} {
		file.header.Size = int64(len(file.data))
		err := w.WriteHeader(&file.header)
		if err == nil {
			_, err = w.Write(file.data)
		}
		if err != nil {
			return nil, fmt.Errorf("pack the power service: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack the power service: %w", err)
	}
	return &out, nil
}

// readSecret returns the secret of a container, or nothing if it has none yet.
func (f *fencing) readSecret(ctx context.Context, id string) ([]byte, error) {
	archive, err := f.docker.run(ctx, nil, "cp", id+":"+powerDir+"/"+powerSecret, "-")
	if toolSays(err, "could not find the file", "no such file") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	r := tar.NewReader(bytes.NewReader(archive))
	if _, err := r.Next(); err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	secret, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	if len(secret) != secretSize {
		return nil, nil
	}
	return secret, nil
}

// newSecret is text, so that it travels safely: 32 random bytes in hexadecimal.
func newSecret() []byte {
	random := make([]byte, secretSize/2)
	_, _ = rand.Read(random) // never fails
	return hex.AppendEncode(nil, random)
}
