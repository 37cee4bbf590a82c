package local

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// What can be wrong with the machine that the containers run on. None goes away
// by itself.
var (
	ErrToolMissing = errors.New("not installed")
	ErrEngineDown  = errors.New("the Docker engine does not run")
	ErrPermission  = errors.New("not allowed to use the Docker engine")
	ErrNoSpace     = errors.New("no space left")
	ErrNoSubnet    = errors.New("no free range of addresses")
)

// ToolError says that docker or mmdebstrap did not do what it was asked to.
type ToolError struct {
	Command string // such as "docker network create"
	Stderr  string // whole
	Err     error  // one of the errors of this package, or how the tool ended
}

func (e *ToolError) Error() string {
	return fmt.Sprintf("%s: %s", e.Command, e.reason())
}

// Unwrap returns the cause.
func (e *ToolError) Unwrap() error { return e.Err }

const daemonSays = "Error response from daemon: "

// reason is the line of stderr that says most. The engine's own answer is not
// always the last line: the client may add where its help is.
func (e *ToolError) reason() string {
	last := ""
	for line := range strings.Lines(e.Stderr) {
		line = strings.TrimSpace(line)
		if _, answer, found := strings.Cut(line, daemonSays); found {
			return answer
		}
		if line != "" && !strings.HasPrefix(line, "See '") && !strings.HasPrefix(line, "Run '") {
			last = line
		}
	}
	if last == "" {
		return e.Err.Error()
	}
	return last
}

// says reports whether the tool said any of those words. What the engine says
// is all that its client tells us: its exit code is 1 for everything.
func (e *ToolError) says(words ...string) bool {
	for _, w := range words {
		if strings.Contains(strings.ToLower(e.Stderr), w) {
			return true
		}
	}
	return false
}

// toolSays reports whether err is a [ToolError] that says any of those words.
func toolSays(err error, words ...string) bool {
	failed, ok := errors.AsType[*ToolError](err)
	return ok && failed.says(words...)
}

// classify finds what is wrong with the machine, and how to mend it.
func classify(e *ToolError) error {
	switch {
	case e.says("permission denied while trying to connect"):
		e.Err = ErrPermission
		return cluster.WithHint(e, "add yourself to the group docker (sudo usermod -aG docker $USER) and log in again, or use sudo")
	case e.says("cannot connect to the docker daemon", "failed to connect to the docker api", "error during connect"):
		e.Err = ErrEngineDown
		return cluster.WithHint(e, "start it: sudo systemctl start docker (or sudo dockerd where there is no systemd)")
	case e.says("no space left on device"):
		e.Err = ErrNoSpace
		return cluster.WithHint(e, "make room: docker system df shows what containers and images take, df -h the disks")
	}
	return e
}

func missing(program string) error {
	err := fmt.Errorf("run %s: %w", program, ErrToolMissing)
	if program == mmdebstrap {
		return cluster.WithHint(err, "install it: sudo apt-get install mmdebstrap; where there is none, build the image on a "+
			"Debian machine and move it with docker save and docker load")
	}
	return cluster.WithHint(err, "install the Docker engine and its client: sudo apt-get install docker.io, "+
		"or see https://docs.docker.com/engine/install")
}
