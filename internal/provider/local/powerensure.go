package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// How long another command that does the same is given, and how often it is
// looked at. answerLimit is for the power service to answer after its start.
const (
	ensurePause = 300 * time.Millisecond
	ensureLimit = 2 * time.Minute
	answerLimit = 30 * time.Second
)

// errAgain says that another command changed the power service meanwhile.
var errAgain = errors.New("another command changes it at the same time")

// ensure makes the power service be there and answer, and returns its secret.
func (f *fencing) ensure(ctx context.Context) (secret []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, ensureLimit, fmt.Errorf("gave up after %s", ensureLimit))
	defer cancel()
	empty := map[string]bool{}
	again := func(err error) bool { return errors.Is(err, errAgain) }
	err = retry(ctx, ensurePause, again, func() error {
		secret, err = f.once(ctx, empty)
		return err
	})
	if err != nil {
		return nil, err
	}
	return secret, f.answers(ctx)
}

// once looks at what is there and does what is missing. A new container gets the
// secret of the one that it replaces, and only then takes its place. empty holds
// the ids of containers that had no secret at an earlier look.
func (f *fencing) once(ctx context.Context, empty map[string]bool) (secret []byte, err error) {
	services, err := f.powerServices(ctx, f.name)
	if err != nil {
		return nil, err
	}
	var current string
	var currentSecret []byte
	for _, c := range services {
		own, err := f.readSecret(ctx, c.ID)
		if err != nil {
			return nil, raced(err)
		}
		switch {
		case own == nil && !empty[c.ID]:
			empty[c.ID] = true // another command may be filling it
			return nil, errAgain
		case own == nil: // that command was killed
			if err := f.remove(ctx, c.ID); err != nil {
				return nil, err
			}
		case secret == nil || c.running():
			secret = own
		}
		if own != nil && c.Config.Labels[powerLabel] == f.version() {
			current, currentSecret = c.ID, own
		}
	}
	if current == "" {
		if secret == nil {
			secret = newSecret()
		}
		if err := f.replace(ctx, services, secret); err != nil {
			return nil, raced(err)
		}
		return f.once(ctx, empty) // and find it
	}
	return currentSecret, raced(f.install(ctx, services, current))
}

// replace makes the container that is to take the place of the others. The name
// of it may have been left to one that never did, which may be the only one that
// has the secret.
func (f *fencing) replace(ctx context.Context, services []container, secret []byte) error {
	named := func(name string) func(container) bool {
		return func(c container) bool { return c.Name == "/"+name }
	}
	if i := slices.IndexFunc(services, named(f.nextName())); i >= 0 {
		if slices.ContainsFunc(services, named(f.finalName())) {
			if err := f.remove(ctx, services[i].ID); err != nil {
				return err
			}
		} else if _, err := f.docker.run(ctx, nil, "rename", services[i].ID, f.finalName()); err != nil {
			return err
		}
	}
	return f.create(ctx, secret)
}

// install gives the container current the place of all others, and starts it.
func (f *fencing) install(ctx context.Context, services []container, current string) error {
	for _, c := range services {
		if c.ID != current {
			if err := f.remove(ctx, c.ID); err != nil {
				return err
			}
		}
	}
	for _, c := range services {
		if c.ID != current {
			continue
		}
		if !c.running() {
			if _, err := f.docker.run(ctx, nil, "start", c.ID); err != nil {
				return f.explain(err)
			}
		}
		if c.Name != "/"+f.finalName() {
			if _, err := f.docker.run(ctx, nil, "rename", c.ID, f.finalName()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fencing) explain(err error) error {
	if toolSays(err, "address already in use") {
		return cluster.WithHint(err, "its address is %s: docker network inspect %s shows who has it", f.address, networkName(f.name))
	}
	return err
}

// raced makes errAgain of what happens when another command does the same.
func raced(err error) error {
	if toolSays(err, "no such container", "is already in use by container", "same name as its current name", "marked for removal") {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	return err
}

// answers waits until the power service answers its own agent, and so has its
// secret and the engine.
func (f *fencing) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerLimit, fmt.Errorf("it did not answer within %s", answerLimit))
	defer cancel()
	question := fmt.Sprintf("action=monitor\naddress=127.0.0.1:%s\nsecret_file=%s/%s\n", powerPort, powerDir, powerSecret)
	starting := func(error) bool { return true }
	err := retry(ctx, ensurePause, starting, func() error {
		_, err := f.docker.run(ctx, strings.NewReader(question), "exec", "--interactive", f.finalName(), powerDir+"/"+cluster.FenceAgent)
		return err
	})
	if err != nil {
		return cluster.WithHint(err, "docker logs %s", f.finalName())
	}
	return nil
}

// powerServices returns the containers that are, or are to become, the power
// service of the cluster.
func (p *Provider) powerServices(ctx context.Context, name string) ([]container, error) {
	return p.inspect(ctx, name, "label="+roleLabel+"="+powerRole)
}
