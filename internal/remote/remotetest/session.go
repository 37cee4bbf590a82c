package remotetest

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// ended is how a command ended: by a signal, or with a status.
type ended struct {
	status int
	signal string
}

// session is one session, which runs one command.
type session struct {
	server *Server
	ch     ssh.Channel

	mu    sync.Mutex
	group int // the process group of a real command while it runs
}

// session serves one session. It calls free when another one may take its place.
func (s *Server) session(channel ssh.NewChannel, free func()) {
	defer free()
	ch, requests, err := channel.Accept()
	if err != nil {
		return
	}
	session := &session{server: s, ch: ch}
	started := false
	for request := range requests {
		switch {
		case request.Type == "exec" && !started:
			started = true
			line := text(request.Payload)
			s.sessions.Add(1)
			_ = request.Reply(true, nil)
			s.running.Go(func() {
				defer s.sessions.Done()
				how := session.execute(line)
				free()
				report(ch, how)
			})
		case request.Type == "signal":
			session.signal(text(request.Payload))
		default:
			_ = request.Reply(false, nil)
		}
	}
}

func (s *session) execute(line string) ended {
	config := s.server.config
	switch {
	case config.Real:
		return s.shell(line)
	case config.Handler != nil:
		return ended{status: config.Handler(line, s.ch, s.ch, s.ch.Stderr())}
	}
	_, _ = io.WriteString(s.ch.Stderr(), "no command is answered here\n")
	return ended{status: 127}
}

// shell really runs a line, in a process group of its own.
func (s *session) shell(line string) ended {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = s.server.Root
	cmd.Env = append(os.Environ(), "HOME="+s.server.Root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout, cmd.Stderr = s.ch, s.ch.Stderr()
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = s.server.spawn(cmd)
	}
	if err != nil {
		_, _ = io.WriteString(s.ch.Stderr(), err.Error()+"\n")
		return ended{status: 126}
	}
	s.runs(cmd.Process.Pid)
	s.server.running.Go(func() {
		_, _ = io.Copy(stdin, s.ch)
		_ = stdin.Close()
	})
	_ = cmd.Wait() // the state says it all: a copy that failed is the client's affair
	s.runs(0)
	s.server.reaped(cmd.Process.Pid)
	return outcome(cmd.ProcessState)
}

func (s *session) runs(group int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.group = group
}

// signal passes a signal on before anything that the client sent after it, as
// sshd does.
func (s *session) signal(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.group != 0 {
		_ = syscall.Kill(-s.group, signalNumbers()[name])
	}
	select {
	case s.server.signals <- name:
	default:
	}
}

// spawn starts a command that Close will find.
func (s *Server) spawn(cmd *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return errors.New("the server is closing")
	default:
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.groups[cmd.Process.Pid] = true
	return nil
}

func (s *Server) reaped(group int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.groups, group)
}

func outcome(state *os.ProcessState) ended {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		for name, number := range signalNumbers() {
			if number == status.Signal() {
				return ended{signal: name}
			}
		}
	}
	return ended{status: state.ExitCode()}
}

// signalNumbers are the signals of RFC 4254 section 6.10 that tests may need.
func signalNumbers() map[string]syscall.Signal {
	return map[string]syscall.Signal{
		"ABRT": syscall.SIGABRT, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL,
		"PIPE": syscall.SIGPIPE, "SEGV": syscall.SIGSEGV, "TERM": syscall.SIGTERM,
	}
}

// report tells the client how its command ended.
func report(ch ssh.Channel, how ended) {
	if how.signal != "" {
		_, _ = ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Signal     string
			Core       bool
			Error, Tag string
		}{Signal: how.signal}))
	} else {
		_, _ = ch.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(how.status)))
	}
	_ = ch.Close()
}

// text is the one string of a request.
func text(payload []byte) string {
	var message struct{ Text string }
	if err := ssh.Unmarshal(payload, &message); err != nil {
		return ""
	}
	return strings.Clone(message.Text)
}
