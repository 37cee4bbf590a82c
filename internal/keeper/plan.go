package keeper

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// plan is a service made ready for this node; its keeper carries it out.
type plan struct {
	ID        string        `json:"id"`
	Directory string        `json:"directory"` // of the node
	Run       string        `json:"run"`
	Boot      string        `json:"boot"`
	Command   []string      `json:"command"`
	Cwd       string        `json:"cwd"`
	Env       []string      `json:"env"`
	Forking   bool          `json:"forking"`
	PIDFile   string        `json:"pid_file,omitempty"` // empty when not followed by it
	Limit     time.Duration `json:"limit"`
	// As is who runs it, if that is another than the user who is logged in.
	As *Account `json:"as,omitempty"`
}

// newRun is the run of a plan that this process carries out.
func newRun(p plan) (run, error) {
	host, err := os.Hostname()
	return run{ID: p.Run, Boot: p.Boot, Host: host, Keeper: me(), Begun: time.Now()}, err
}

// inherited are the variables of the login that a service gets. Nothing else is,
// so that it is the same whoever added it, and from where.
var inherited = []string{"HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TZ", "USER"}

// newPlan checks what can be checked before a service is started. Its error is a
// reason for a person.
func (n *node) newPlan(ctx context.Context, service cluster.Service, run string, limit time.Duration) (plan, error) {
	file := n.request.Node
	pidFile := n.dir.pidFile(service.ID)
	p := plan{
		ID: service.ID, Directory: n.dir.path, Run: run, Boot: n.boot, Limit: limit,
		Command: Substitute(service.Command, pidFile, file.FQDN),
		Cwd:     service.Cwd,
		Forking: !service.ForceDaemonize,
	}
	if program := ProgramIn(file.SirikataPath, p.Command[0]); program != "" {
		p.Command[0] = program // Substitute made it a copy
	}
	if p.Cwd == "" {
		p.Cwd = file.WorkingPath
	}
	if p.Forking && service.UsesPIDFile() {
		p.PIDFile = pidFile
	}
	if file.FQDN == "" && strings.Contains(strings.Join(service.Command, "\n"), cluster.FQDNWord) {
		return plan{}, errors.New("the command names FQDN, and this node has none")
	}
	user := service.User
	if user == "" || user == file.ServiceUser {
		user = file.ServiceUser
	} else {
		account, err := n.other(ctx, user)
		if err != nil {
			return plan{}, err
		}
		p.As = &account
	}
	may := func(path string) error {
		if p.As != nil {
			return MayExecute(*p.As, path)
		}
		return MayExecute(Account{}, path)
	}
	p.Env = n.environment(service, p, user)
	return p, errors.Join(CheckBinary(p.Command[0], user, may), CheckDirectory(p.Cwd, user, may))
}

// other is an account that only root can run services as.
func (n *node) other(ctx context.Context, user string) (Account, error) {
	if os.Geteuid() != 0 {
		return Account{}, fmt.Errorf("only root can run it as %q, and this node is logged in to as %q", user, n.request.Node.ServiceUser)
	}
	account, err := LookUpAccount(ctx, user)
	if errors.Is(err, ErrNoUser) {
		return Account{}, fmt.Errorf("user %q does not exist", user)
	}
	return account, err
}

// environment is that of the service: a few variables of the login, libraries of
// the release, and its own.
func (n *node) environment(service cluster.Service, p plan, user string) []string {
	env := map[string]string{}
	for _, variable := range n.environ {
		if name, value, _ := strings.Cut(variable, "="); slices.Contains(inherited, name) {
			env[name] = value
		}
	}
	if p.As != nil {
		env["HOME"], env["SHELL"], env["USER"], env["LOGNAME"] = p.As.Home, p.As.Shell, user, user
	}
	if libraries := LibraryPath(n.request.Node.SirikataPath); libraries != "" {
		env[LibraryVariable] = libraries
	}
	maps.Copy(env, service.Env)
	env[runVariable], env[cluster.ServiceVariable] = p.Run, service.ID
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}
