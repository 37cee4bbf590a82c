package cluster

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Names of the parameters in which a service's definition travels to a node,
// and in which the cluster remembers it.
const (
	paramCommand        = "command"
	paramUser           = "user"
	paramCwd            = "cwd"
	paramEnv            = "env"
	paramMonitor        = "monitor"
	paramForceDaemonize = "force_daemonize"
	paramFailover       = "failover"
	paramTarget         = "target"
	paramRequire        = "require"
)

// Parameters is the whole definition of the service but for its id, as texts
// by name. What may hold any character is JSON, so that nothing is ever quoted.
// Every service has the same names, so that one definition fully replaces
// another. The values hold printable ASCII only: Pacemaker rewrites all else
// where it logs and diffs its configuration.
func (s Service) Parameters() (map[string]string, error) {
	env := s.Env
	if env == nil {
		env = map[string]string{}
	}
	params := map[string]string{
		paramUser:           s.User,
		paramMonitor:        strconv.Itoa(s.Monitor),
		paramForceDaemonize: strconv.FormatBool(s.ForceDaemonize),
		paramFailover:       strconv.FormatBool(s.Failover),
		paramTarget:         s.Target,
		paramRequire:        s.Require,
	}
	for name, value := range map[string]any{paramCommand: s.Command, paramEnv: env, paramCwd: s.Cwd} {
		text, err := asciiJSON(value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		params[name] = text
	}
	return params, nil
}

// asciiJSON is JSON in which every character outside printable ASCII is
// written as an escape (RFC 8259 §7).
func asciiJSON(value any) (string, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, r := range string(encoded) {
		if r < 0x7f {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String(), nil
}

// ParseParameters is the inverse of [Service.Parameters]. A value that is
// missing or cannot be read is an error, but for user, target and require,
// which are empty then; unknown names are ignored.
func ParseParameters(id string, params map[string]string) (Service, error) {
	s := Service{
		ID:      id,
		Target:  params[paramTarget],
		User:    params[paramUser],
		Require: params[paramRequire],
	}
	for name, into := range map[string]any{paramCommand: &s.Command, paramEnv: &s.Env, paramCwd: &s.Cwd} {
		if err := json.Unmarshal([]byte(params[name]), into); err != nil {
			return Service{}, parameterError(id, name, err)
		}
	}
	var err error
	if len(s.Env) == 0 {
		s.Env = nil
	}
	if s.Monitor, err = strconv.Atoi(params[paramMonitor]); err != nil {
		return Service{}, parameterError(id, paramMonitor, err)
	}
	if s.ForceDaemonize, err = strconv.ParseBool(params[paramForceDaemonize]); err != nil {
		return Service{}, parameterError(id, paramForceDaemonize, err)
	}
	if s.Failover, err = strconv.ParseBool(params[paramFailover]); err != nil {
		return Service{}, parameterError(id, paramFailover, err)
	}
	return s, nil
}

func parameterError(id, name string, err error) error {
	return fmt.Errorf("read parameter %s of service %q: %w", name, id, err)
}
