package local

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	imageRepository = "sirikata-cluster/node"
	imageLabel      = "org.sirikata.image"
	mmdebstrap      = "mmdebstrap"
	release         = "bookworm"
)

// recipe is what an image is made from: packages.txt, customize.sh, which runs
// on the unpacked packages, and the files that it puts in place.
//
//go:embed all:image
var recipe embed.FS

// BuildImage implements [provider.ImageBuilder].
func (p *Provider) BuildImage(ctx context.Context, rebuild bool, log io.Writer) (name string, built bool, err error) {
	name, err = p.ensureImage(ctx, rebuild, log, func(string, ...any) { built = true })
	return name, built && err == nil, err
}

// ensureImage returns the name of the image, which it builds if it is missing
// or rebuild is set. progress is called only if it builds.
func (p *Provider) ensureImage(
	ctx context.Context, rebuild bool, log io.Writer, progress func(string, ...any),
) (string, error) {
	name, err := imageName()
	if err != nil {
		return "", err
	}
	found, err := p.hasImage(ctx, name)
	if err != nil || found && !rebuild {
		return name, err
	}
	// One at a time on this machine, and the others use what the first built.
	lock := flock.New(filepath.Join(os.TempDir(), fmt.Sprintf("sirikata-cluster-image-%d.lock", os.Getuid())))
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return "", fmt.Errorf("wait for another build of image %s: %w", name, err)
	}
	defer lock.Close() //nolint:errcheck // cannot stay locked
	if found, err = p.hasImage(ctx, name); err != nil || found && !rebuild {
		return name, err
	}
	progress("building image %s from Debian packages; this takes about a minute, once", name)
	if err := p.buildImage(ctx, name, log); err != nil {
		return "", fmt.Errorf("build image %s: %w", name, err)
	}
	return name, nil
}

func (p *Provider) hasImage(ctx context.Context, name string) (bool, error) {
	_, err := p.docker.run(ctx, nil, "image", "inspect", "--format", "{{.Id}}", name)
	if toolSays(err, "no such image") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find image %s: %w", name, err)
	}
	return true, nil
}

func (p *Provider) buildImage(ctx context.Context, name string, log io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "sirikata-cluster-image-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// mmdebstrap may run the script as another user than us (its mode unshare).
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // nothing secret in it
		return err
	}
	if err := unpackRecipe(dir); err != nil {
		return err
	}
	archive := filepath.Join(dir, "rootfs.tar")
	if err := p.debstrap(ctx, dir, archive, log); err != nil {
		return err
	}
	_, tag, _ := strings.Cut(name, ":")
	_, err = p.docker.run(ctx, nil, "import",
		"--change", `ENTRYPOINT ["/usr/lib/sirikata/init"]`,
		"--change", "ENV container=docker LANG=C.UTF-8", // systemd reads "container"
		"--change", "LABEL "+imageLabel+"="+tag,
		archive, name)
	if err != nil {
		return err
	}
	// A rebuilt image leaves its predecessor without a name.
	_, err = p.docker.run(ctx, nil, "image", "prune", "--force", "--filter", "label="+imageLabel)
	return err
}

// unpackRecipe writes the recipe to dir. Files that are scripts are executable.
func unpackRecipe(dir string) error {
	root, err := fs.Sub(recipe, "image")
	if err != nil {
		return err
	}
	return fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if entry.IsDir() {
			return os.MkdirAll(path, 0o755) //nolint:gosec // becomes the node's root directory
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(string(data), "#!") {
			mode = 0o755
		}
		return os.WriteFile(path, data, mode)
	})
}

// debstrap makes a root file system out of Debian packages, in archive.
func (p *Provider) debstrap(ctx context.Context, dir, archive string, log io.Writer) error {
	packages, err := recipe.ReadFile("image/packages.txt")
	if err != nil {
		return err
	}
	args := append(debstrapOptions(),
		"--include="+strings.Join(strings.Fields(string(packages)), ","),
		"--customize-hook="+filepath.Join(dir, "customize.sh"),
		release, archive, p.options.Mirror)
	c := command{program: mmdebstrap, title: mmdebstrap, args: args, log: log, env: []string{"TMPDIR=" + dir}}
	if os.Geteuid() == 0 {
		// Mounts of its own, which go with it: when it is killed at a bad moment
		// it leaves /proc mounted in a directory that we want to remove.
		if _, err := exec.LookPath(mmdebstrap); err != nil {
			return missing(mmdebstrap)
		}
		c.program, c.args = "unshare", append([]string{"--mount", mmdebstrap}, args...)
	}
	return runTool(ctx, c)
}

func debstrapOptions() []string {
	return []string{
		"--variant=minbase",
		`--aptopt=Acquire::Languages "none"`,
		`--aptopt=APT::Install-Recommends "false"`,
		"--dpkgopt=path-exclude=/usr/share/doc/*",
		"--dpkgopt=path-exclude=/usr/share/man/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*",
	}
}

// imageName names the image after its recipe: another recipe, another image.
func imageName() (string, error) {
	hash := sha256.New()
	hash.Write(fmt.Appendf(nil, "%s %q\n", release, debstrapOptions()))
	err := fs.WalkDir(recipe, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := recipe.ReadFile(name)
		hash.Write(fmt.Appendf(nil, "%q %d\n%s", name, len(data), data))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the recipe of the image: %w", err)
	}
	return imageRepository + ":" + hex.EncodeToString(hash.Sum(nil))[:12], nil
}
