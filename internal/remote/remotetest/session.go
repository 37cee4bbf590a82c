package remotetest

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// ended is how a command ended: by a signal, or with a status.
type ended struct {
	status int
	signal string
}

// session serves one session, which runs one command.
func (s *Server) session(channel ssh.NewChannel) {
	ch, requests, err := channel.Accept()
	if err != nil {
		return
	}
	signals := make(chan string, cap(s.signals))
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
				report(ch, s.execute(line, ch, signals))
			})
		case request.Type == "signal":
			name := text(request.Payload)
			offer(s.signals, name)
			offer(signals, name)
		default:
			_ = request.Reply(false, nil)
		}
	}
}

func (s *Server) execute(line string, ch ssh.Channel, signals <-chan string) ended {
	switch {
	case s.config.Real:
		return s.shell(line, ch, signals)
	case s.config.Handler != nil:
		return ended{status: s.config.Handler(line, ch, ch, ch.Stderr())}
	}
	_, _ = io.WriteString(ch.Stderr(), "no command is answered here\n")
	return ended{status: 127}
}

// shell really runs a line, in a process group of its own.
func (s *Server) shell(line string, ch ssh.Channel, signals <-chan string) ended {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = s.Root
	cmd.Env = append(os.Environ(), "HOME="+s.Root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = s.spawn(cmd)
	}
	if err != nil {
		_, _ = io.WriteString(ch.Stderr(), err.Error()+"\n")
		return ended{status: 126}
	}
	s.running.Go(func() {
		_, _ = io.Copy(stdin, ch)
		_ = stdin.Close()
	})
	over := make(chan struct{})
	s.running.Go(func() {
		for {
			select {
			case name := <-signals:
				_ = syscall.Kill(-cmd.Process.Pid, signalNumbers()[name])
			case <-over:
				return
			}
		}
	})
	_ = cmd.Wait() // the state says it all: a copy that failed is the client's affair
	close(over)
	s.reaped(cmd.Process.Pid)
	return outcome(cmd.ProcessState)
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

func offer(signals chan<- string, name string) {
	select {
	case signals <- name:
	default:
	}
}
