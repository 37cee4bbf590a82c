package cluster

import (
	"encoding/json"
	"fmt"
	"strconv"
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
// by name. Command and environment are JSON, so that nothing is ever quoted.
// Every service has the same names, so that one definition fully replaces
// another.
func (s Service) Parameters() (map[string]string, error) {
	command, err := json.Marshal(s.Command)
	if err != nil {
		return nil, fmt.Errorf("encode command: %w", err)
	}
	env := s.Env
	if env == nil {
		env = map[string]string{}
	}
	environment, err := json.Marshal(env)
	if err != nil {
		return nil, fmt.Errorf("encode environment: %w", err)
	}
	return map[string]string{
		paramCommand:        string(command),
		paramUser:           s.User,
		paramCwd:            s.Cwd,
		paramEnv:            string(environment),
		paramMonitor:        strconv.Itoa(s.Monitor),
		paramForceDaemonize: strconv.FormatBool(s.ForceDaemonize),
		paramFailover:       strconv.FormatBool(s.Failover),
		paramTarget:         s.Target,
		paramRequire:        s.Require,
	}, nil
}

// ParseParameters is the inverse of [Service.Parameters]. A name that is
// missing or cannot be read is an error; unknown names are ignored.
func ParseParameters(id string, params map[string]string) (Service, error) {
	s := Service{
		ID:      id,
		Target:  params[paramTarget],
		User:    params[paramUser],
		Cwd:     params[paramCwd],
		Require: params[paramRequire],
	}
	var err error
	if err = json.Unmarshal([]byte(params[paramCommand]), &s.Command); err != nil {
		return Service{}, parameterError(id, paramCommand, err)
	}
	if err = json.Unmarshal([]byte(params[paramEnv]), &s.Env); err != nil {
		return Service{}, parameterError(id, paramEnv, err)
	}
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
