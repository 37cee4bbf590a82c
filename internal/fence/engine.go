package fence

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// engine is the container engine, by its HTTP API without a version, of which
// nothing is used that ever changed. It is asked in HTTP/1.0: one connection for
// each question, no encodings, and the answer ends where the connection does.
type engine struct {
	socket     string // its unix socket
	label      string // KEY=VALUE, on all containers of our cluster
	indexLabel string // has the index of a node, and is on nodes only
}

// maxAnswer is far above what the list of a full cluster takes.
const maxAnswer = 16 << 20

// engineError is a refusal of the engine's.
type engineError struct {
	status  int
	message string
}

func (e *engineError) Error() string {
	return fmt.Sprintf("the engine says: %s (status %d)", e.message, e.status)
}

// call asks the engine once. A status that is neither success nor among the
// accepted ones is an error.
func (e engine) call(ctx context.Context, method, path string, accepted ...int) (status int, body []byte, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", e.socket)
	if err != nil {
		return 0, nil, err
	}
	defer conn.Close() //nolint:errcheck // what counts was received
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return 0, nil, err
		}
	}
	if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.0\r\nHost: engine\r\n\r\n", method, path); err != nil {
		return 0, nil, err
	}
	status, body, err = readAnswer(conn)
	if err != nil {
		return 0, nil, fmt.Errorf("read the engine's answer: %w", err)
	}
	if status/100 != 2 && !slices.Contains(accepted, status) {
		var reason struct{ Message string }
		if json.Unmarshal(body, &reason) != nil {
			reason.Message = string(body)
		}
		return status, body, &engineError{status, reason.Message}
	}
	return status, body, nil
}

// readAnswer reads one HTTP answer up to the end of the connection.
func readAnswer(from io.Reader) (status int, body []byte, err error) {
	buffered := bufio.NewReader(io.LimitReader(from, maxAnswer))
	reader := textproto.NewReader(buffered)
	line, err := reader.ReadLine()
	if err != nil {
		return 0, nil, err
	}
	fields := strings.Fields(line)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "HTTP/1.") {
		return 0, nil, fmt.Errorf("%.80q is not HTTP", line)
	}
	if status, err = strconv.Atoi(fields[1]); err != nil {
		return 0, nil, fmt.Errorf("%.80q has no status", line)
	}
	if _, err := reader.ReadMIMEHeader(); err != nil {
		return 0, nil, err
	}
	body, err = io.ReadAll(buffered)
	return status, body, err
}

func (e engine) ping(ctx context.Context) error {
	_, _, err := e.call(ctx, "GET", "/_ping")
	return err
}

// containers returns the ids of our cluster's nodes by index, of one node if
// only is an index, of all if it is negative.
func (e engine) containers(ctx context.Context, only int) (map[int][]string, error) {
	labels := []string{e.label, e.indexLabel}
	if only >= 0 {
		labels[1] += "=" + strconv.Itoa(only)
	}
	filters, err := json.Marshal(map[string][]string{"label": labels})
	if err != nil {
		return nil, err
	}
	query := url.Values{"all": {"1"}, "filters": {string(filters)}}
	_, body, err := e.call(ctx, "GET", "/containers/json?"+query.Encode())
	if err != nil {
		return nil, err
	}
	var found []struct {
		ID     string `json:"Id"`
		Labels map[string]string
	}
	if err := json.Unmarshal(body, &found); err != nil {
		return nil, fmt.Errorf("read the engine's list of containers: %w", err)
	}
	nodes := make(map[int][]string)
	key, value, _ := strings.Cut(e.label, "=")
	for _, c := range found {
		index, err := strconv.Atoi(c.Labels[e.indexLabel])
		// The engine has filtered; to kill the wrong one is worth a second look.
		if err == nil && index >= 0 && (only < 0 || index == only) && c.Labels[key] == value {
			nodes[index] = append(nodes[index], c.ID)
		}
	}
	return nodes, nil
}

// running asks whether a container runs. A frozen one does; one that is gone
// does not.
func (e engine) running(ctx context.Context, id string) (bool, error) {
	status, body, err := e.call(ctx, "GET", "/containers/"+id+"/json", statusGone)
	if err != nil || status == statusGone {
		return false, err
	}
	var found struct {
		State *struct{ Running bool }
	}
	if err := json.Unmarshal(body, &found); err != nil {
		return false, fmt.Errorf("read the state of a container: %w", err)
	}
	if found.State == nil {
		return false, fmt.Errorf("read the state of a container: there is none in %.80q", body)
	}
	return found.State.Running, nil
}

const (
	statusGone     = 404
	statusConflict = 409 // it does not run
	statusAlready  = 304
)

// kill ends a container, a frozen one as well: the engine thaws it after the
// signal was sent. One that does not run, or is gone, is no error.
func (e engine) kill(ctx context.Context, id string) error {
	_, _, err := e.call(ctx, "POST", "/containers/"+id+"/kill", statusGone, statusConflict)
	return err
}

// start switches a container on; one that runs is no error.
func (e engine) start(ctx context.Context, id string) error {
	_, _, err := e.call(ctx, "POST", "/containers/"+id+"/start", statusAlready)
	return err
}
