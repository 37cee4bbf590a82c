package fence

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// The exit statuses of a fence agent (Fence Agent API, "Return values").
const (
	exitDone = 0
	exitFail = 1
	exitOff  = 2 // of status
)

// agentLimit bounds the whole of an action. Pacemaker's own time-out is 60 s if
// nothing else is set (stonith-timeout), and it must never be what ends the
// agent: a reason would be lost.
const agentLimit = 20 * time.Second

// maxWait is the longest pause of a reboot, in seconds: more than it takes to notice
// that a node is lost, whatever the cluster's token time-out.
const maxWait = 180

// Agent runs the program as a fence agent, for the one action that its standard
// input names, and returns its exit status. Why it failed stands on stderr,
// which Pacemaker logs.
func Agent(ctx context.Context, version string, stdin io.Reader, stdout, stderr io.Writer) int {
	options, err := readOptions(stdin)
	if err != nil {
		return complain(stderr, fmt.Errorf("read the options: %w", err))
	}
	switch options["action"] {
	case "metadata", "meta-data":
		fmt.Fprint(stdout, metadata(version))
		return exitDone
	case "validate-all":
		_, _, err := options.service()
		return complain(stderr, err)
	}
	req, err := options.request()
	if err != nil {
		return complain(stderr, err)
	}
	ctx, cancel := context.WithTimeout(ctx, agentLimit)
	defer cancel()
	return perform(ctx, options, req, stdout, stderr)
}

func perform(ctx context.Context, options options, req request, stdout, stderr io.Writer) int {
	address, secret, err := options.service()
	if err != nil {
		return complain(stderr, err)
	}
	what := strings.TrimSpace(string(req.Action) + " " + req.Plug)
	result, err := call(ctx, address, secret, req)
	if errors.Is(err, errRefused) || errors.Is(err, errForged) {
		err = fmt.Errorf("%w: %s is not the secret of that service, whose cluster may be another one", err, options.secretFile())
	}
	if err != nil {
		return complain(stderr, fmt.Errorf("%s: ask the power service at %s: %w", what, address, err))
	}
	switch req.Action {
	case list:
		for _, node := range result.Nodes {
			fmt.Fprintf(stdout, "%s,\n", node) // a plug and its alias
		}
	case status:
		if !result.On {
			fmt.Fprintf(stdout, "%s is off\n", req.Plug)
			return exitOff
		}
		fmt.Fprintf(stdout, "%s is on\n", req.Plug)
	default:
		fmt.Fprintln(stdout, strings.TrimSpace(req.Plug+" "+result.Did))
	}
	return exitDone
}

// complain says why on stderr, if there is a why.
func complain(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(stderr, "%s: %v\n", cluster.FenceAgent, err)
	return exitFail
}

// options are those of the agent by name.
type options map[string]string

// readOptions reads name=value lines. Names that nobody knows are as good as any:
// Pacemaker gives more than an agent declares.
func readOptions(stdin io.Reader) (options, error) {
	all := options{}
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if ok && !strings.HasPrefix(name, "#") {
			all[name] = value
		}
	}
	return all, lines.Err()
}

// request is what the options ask for. Without an action it is reboot, as for
// every fence agent.
func (o options) request() (request, error) {
	req := request{Action: action(o["action"])}
	switch req.Action {
	case "":
		req.Action = reboot
	case monitor, list:
		return req, nil
	case on, off, reboot, status:
	default:
		return request{}, fmt.Errorf("%q is not an action of this agent", req.Action)
	}
	if text := o["power_wait"]; text != "" && req.Action == reboot {
		wait, err := strconv.Atoi(text)
		if err != nil || wait < 0 || wait > maxWait {
			return request{}, fmt.Errorf("power_wait is %q, not 0 to %d seconds", text, maxWait)
		}
		req.Wait = wait
	}
	for _, name := range []string{"plug", "port", "nodename"} {
		if req.Plug = o[name]; req.Plug != "" {
			return req, nil
		}
	}
	return request{}, fmt.Errorf("%s: which node? Give plug, or nodename", req.Action)
}

// service is where the power service is, and the secret that it wants.
func (o options) service() (address string, secret []byte, err error) {
	address = o["address"]
	if address == "" {
		return "", nil, errors.New("address is not set: it is the host and port of the power service")
	}
	content, err := os.ReadFile(o.secretFile())
	if err != nil {
		return "", nil, fmt.Errorf("read the secret: %w", err)
	}
	secret, err = parseSecret(content)
	if err != nil {
		return "", nil, fmt.Errorf("read the secret in %s: %w", o.secretFile(), err)
	}
	return address, secret, nil
}

func (o options) secretFile() string {
	if file := o["secret_file"]; file != "" {
		return file
	}
	return cluster.FenceSecretPath
}
