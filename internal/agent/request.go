package agent

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// defaultTimeout is for an action that does not say how long it may take, as
// when a person runs the agent. Pacemaker always says.
const defaultTimeout = 20 * time.Second

// request is what Pacemaker asks for.
type request struct {
	id   string
	unit string // the systemd unit
	// params is the definition; stop must do without, or a definition that
	// cannot be read would make a service that cannot be stopped.
	params   map[string]string
	interval time.Duration // 0 for a probe, and for all but monitor
	timeout  time.Duration // after which Pacemaker kills the agent
}

// readRequest reads the environment of a resource agent: the parameters in
// OCF_RESKEY_name, what Pacemaker adds about the action in
// OCF_RESKEY_CRM_meta_name, times in milliseconds.
func readRequest(environ []string) (request, error) {
	const prefix, meta = "OCF_RESKEY_", "CRM_meta_"
	req := request{params: map[string]string{}, timeout: defaultTimeout}
	var instance string
	for _, entry := range environ {
		key, value, _ := strings.Cut(entry, "=")
		name, isParam := strings.CutPrefix(key, prefix)
		switch {
		case key == "OCF_RESOURCE_INSTANCE":
			instance = value
		case !isParam:
		case !strings.HasPrefix(name, meta):
			req.params[name] = value
		case name == meta+"interval":
			req.interval = milliseconds(value, 0)
		case name == meta+"timeout":
			req.timeout = milliseconds(value, defaultTimeout)
		}
	}
	id, ok := cluster.ServiceIDOf(instance)
	if !ok {
		return request{}, fmt.Errorf("resource %q is not a service: its id must be %s",
			instance, cluster.ResourceName("ID"))
	}
	if err := cluster.ValidateServiceID(id); err != nil {
		return request{}, err
	}
	req.id, req.unit = id, cluster.UnitName(id)
	return req, nil
}

func milliseconds(value string, otherwise time.Duration) time.Duration {
	ms, err := strconv.Atoi(value)
	if err != nil || ms <= 0 {
		return otherwise
	}
	return time.Duration(ms) * time.Millisecond
}

// service decodes and checks the definition.
func (r request) service() (cluster.Service, error) {
	service, err := cluster.ParseParameters(r.id, r.params)
	if err != nil {
		return cluster.Service{}, err
	}
	return service, service.Validate()
}
