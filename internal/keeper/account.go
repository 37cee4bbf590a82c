package keeper

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Account is who a user is to the kernel.
type Account struct {
	UID, GID uint32
	Groups   []uint32
	// Home and Shell are those of the user database.
	Home, Shell string
}

// ErrNoUser says that the machine knows no such user.
var ErrNoUser = errors.New("does not exist")

// LookUpAccount finds a user. It asks the C library's tools, because only that knows of users
// that are not in /etc/passwd, such as LDAP's (nsswitch.conf(5)); a static
// program does not.
func LookUpAccount(ctx context.Context, user string) (Account, error) {
	out, err := exec.CommandContext(ctx, "getent", "passwd", "--", user).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 { // getent(1): not found
		return Account{}, ErrNoUser
	}
	if err != nil {
		return Account{}, fmt.Errorf("run getent: %w", err)
	}
	fields := strings.Split(strings.TrimSpace(string(out)), ":")
	const name, uid, gid, home, shell = 0, 2, 3, 5, 6
	if len(fields) <= shell {
		return Account{}, fmt.Errorf("run getent: unexpected answer %q", out)
	}
	groups, err := exec.CommandContext(ctx, "id", "-G", "--", fields[name]).Output()
	if err != nil {
		return Account{}, fmt.Errorf("run id: %w", err)
	}
	numbers, err := parseIDs(append([]string{fields[uid], fields[gid]}, strings.Fields(string(groups))...))
	if err != nil {
		return Account{}, err
	}
	return Account{UID: numbers[0], GID: numbers[1], Groups: numbers[2:], Home: fields[home], Shell: fields[shell]}, nil
}

func parseIDs(texts []string) ([]uint32, error) {
	ids := make([]uint32, len(texts))
	for i, text := range texts {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read user or group id: %w", err)
		}
		ids[i] = uint32(id)
	}
	return ids, nil
}
