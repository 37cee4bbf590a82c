package fence

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"
)

// Limits of one conversation. Together they are less than agentLimit, so that an
// agent that waits is told what for.
const (
	requestLimit = 5 * time.Second
	powerLimit   = 14 * time.Second // the engine itself waits 10 s for a killed container to end
	// maxConversations is how many there may be at once. Others wait.
	maxConversations = 64
)

// exitUsage is the exit status of a command line that makes no sense.
const exitUsage = 2

// Serve runs the power service until ctx ends, and returns its exit status. args
// are its options; it says on stderr what it does.
func Serve(ctx context.Context, args []string, stderr io.Writer) int {
	logger := log.New(stderr, "", log.LstdFlags|log.Lmicroseconds|log.LUTC)
	flags := flag.NewFlagSet("power-service", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "", "address to listen on, as HOST:PORT")
	secretFile := flags.String("secret", "", "file with the secret of the cluster")
	e := engine{}
	flags.StringVar(&e.socket, "engine", "", "unix socket of the container engine")
	flags.StringVar(&e.label, "label", "", "label of all containers of the cluster, as KEY=VALUE")
	flags.StringVar(&e.indexLabel, "index-label", "", "label with the index of a node, which nodes alone have")
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	key, value, _ := strings.Cut(e.label, "=")
	if *listen == "" || *secretFile == "" || e.socket == "" || key == "" || value == "" || e.indexLabel == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "sirikata-node: error: power-service needs every one of its options, and no argument")
		flags.PrintDefaults()
		return exitUsage
	}
	content, err := os.ReadFile(*secretFile)
	if err != nil {
		logger.Print("read the secret: ", err)
		return exitFail
	}
	s := service{log: logger.Printf, power: &power{engine: e, log: logger.Printf, busy: map[int]chan struct{}{}, later: map[int]context.CancelFunc{}}}
	if s.secret, err = parseSecret(content); err != nil {
		logger.Printf("read the secret in %s: %v", *secretFile, err)
		return exitFail
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		logger.Print(err)
		return exitFail
	}
	logger.Printf("power over containers with the label %s, at %s", e.label, listener.Addr())
	if err := s.serve(ctx, listener); err != nil {
		logger.Print(err)
		return exitFail
	}
	return exitDone
}

// service answers agents.
type service struct {
	secret []byte
	power  *power
	log    func(format string, args ...any)
}

// serve answers until ctx ends, and closes the listener.
func (s *service) serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	room := make(chan struct{}, maxConversations)
	for {
		room <- struct{}{}
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // such as too many open files: passes
			s.log("accept a connection: %v", err)
			<-room
			select {
			case <-ctx.Done():
			case <-time.After(redialPause):
			}
			continue
		}
		go func() {
			defer func() { <-room }()
			defer conn.Close() //nolint:errcheck // the agent has its answer, or notices
			if err := s.converse(ctx, conn); err != nil {
				s.log("%s: %v", conn.RemoteAddr(), err)
			}
		}()
	}
}

// converse is one conversation, see protocol.go.
func (s *service) converse(ctx context.Context, conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(requestLimit)); err != nil {
		return err
	}
	w := newWire(conn)
	hello := greeting + nonce()
	if err := w.send(hello); err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	line, err := w.receive()
	if errors.Is(err, io.EOF) {
		return nil // only looked whether we are there
	}
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	var req request
	if err := open(s.secret, hello, line, &req); err != nil {
		return errors.Join(fmt.Errorf("refused: the request is %w", err), w.send(refusal))
	}
	if err := conn.SetDeadline(time.Now().Add(powerLimit + requestLimit)); err != nil {
		return err
	}
	reply, err := seal(s.secret, line, s.answer(ctx, req, conn.RemoteAddr()))
	if err != nil {
		return err
	}
	return w.send(reply)
}

// answer does what was asked for, and writes it down if it changed something.
func (s *service) answer(ctx context.Context, req request, from net.Addr) answer {
	begin := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, powerLimit, fmt.Errorf("gave up after %s", powerLimit))
	defer cancel()
	result, err := s.power.do(ctx, req)
	if err != nil {
		result = answer{Error: err.Error()}
	}
	if changes := req.Action == on || req.Action == off || req.Action == reboot; changes || err != nil {
		s.log("%s: %s %s: %s%s (%d ms)", from, req.Action, req.Plug, result.Did, result.Error, time.Since(begin).Milliseconds())
	}
	return result
}
