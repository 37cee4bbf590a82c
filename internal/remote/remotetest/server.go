// Package remotetest is an SSH server inside the test, for what reaches nodes by
// package remote. It answers commands with a function of the test or with a real
// shell, and it can fail as nodes do: hang, freeze, break off, change its key.
// Nothing in it is fit for use outside tests.
//
// Start at [Start].
package remotetest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sirikata/sirikata-cluster/internal/remote"
)

// Stage is where in a connection a server stops answering.
type Stage int

// The stages.
const (
	Never       Stage = iota // it answers
	AtAccept                 // the connection is taken, and never a byte sent
	AtHandshake              // it says that it speaks SSH, and no more
	AtLogin                  // it shows its host key, and never judges ours
)

// Handler answers a command: it returns the exit status. It must return when
// stdin ends early or a write fails, as both do when the connection breaks.
type Handler func(cmd string, stdin io.Reader, stdout, stderr io.Writer) int

// Config is how a server behaves. The zero value answers no command.
type Config struct {
	// Addr is where to listen; empty is any free port of 127.0.0.1.
	Addr string
	// HostKeys are what it shows; none makes a new one.
	HostKeys []ssh.Signer
	// Authorized are the keys that may log in, besides that of [Server.Host].
	Authorized []ssh.PublicKey
	// Password makes it offer the method "password", too.
	Password string
	// NoKeys makes it refuse to hear of keys.
	NoKeys bool
	// Handler answers the commands; with Real a shell does.
	Handler Handler
	// Real runs commands with sh -c in Root, which is also their HOME.
	Real bool
	// Root is a temporary directory unless given.
	Root string
	// MaxSessions is how many commands may run at once on a connection; more are
	// refused. 0 is sshd's default, 10 (sshd_config(5)).
	MaxSessions int
	// Forward makes it a jump host: it connects clients to where they want.
	Forward bool
	// Mute makes it ignore keepalives, as if its answers stood in a queue.
	Mute bool
	// Hang is where it stops answering.
	Hang Stage
}

// Server is a running SSH server. Its methods may be called from many
// goroutines.
type Server struct {
	Addr   string     // host:port
	Key    ssh.Signer // may log in
	Root   string     // of commands, with Config.Real
	config Config

	listener net.Listener
	signals  chan string
	closing  chan struct{}
	running  sync.WaitGroup // everything
	sessions sync.WaitGroup // commands

	mu         sync.Mutex
	hostKeys   []ssh.Signer
	authorized []ssh.PublicKey
	conns      map[*conn]bool
	groups     map[int]bool // process groups of real commands
}

// Start starts a server, which ends with the test and everything that it runs.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	if len(config.HostKeys) == 0 {
		config.HostKeys = []ssh.Signer{NewKey(t)}
	}
	if config.Real && config.Root == "" {
		config.Root = t.TempDir()
	}
	if config.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	if config.MaxSessions == 0 {
		config.MaxSessions = 10
	}
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		t.Fatalf("start SSH server: %v", err)
	}
	s := &Server{
		Addr: listener.Addr().String(), Key: NewKey(t), Root: config.Root, config: config,
		listener: listener, signals: make(chan string, 16), closing: make(chan struct{}),
		hostKeys: config.HostKeys, conns: map[*conn]bool{}, groups: map[int]bool{},
	}
	s.authorized = append(slices.Clone(config.Authorized), s.Key.PublicKey())
	s.running.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

// Host is how to reach the server, with a key that may log in and nothing about
// its host key.
func (s *Server) Host(name string) remote.Host {
	return remote.Host{Name: name, Addr: s.Addr, User: "tester", Keys: []ssh.Signer{s.Key}}
}

// HostKey is the first key that the server shows.
func (s *Server) HostKey() ssh.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hostKeys[0].PublicKey()
}

// SetHostKeys changes what the server shows from the next connection on.
func (s *Server) SetHostKeys(keys ...ssh.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hostKeys = slices.Clone(keys)
}

// Authorize lets the holder of key log in from now on.
func (s *Server) Authorize(key ssh.PublicKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.authorized = append(s.authorized, key)
}

func (s *Server) allows(key ssh.PublicKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.authorized, func(allowed ssh.PublicKey) bool {
		return bytes.Equal(allowed.Marshal(), key.Marshal())
	})
}

// Signals receives the names (TERM) of signals that clients send; the first 16
// are kept until received.
func (s *Server) Signals() <-chan string { return s.signals }

func (s *Server) accept() {
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			return
		}
		c := newConn(raw)
		if !s.keep(c) {
			_ = c.Close()
			return
		}
		s.running.Go(func() {
			defer s.drop(c)
			s.serve(c)
		})
	}
}

func (s *Server) serve(c *conn) {
	switch s.config.Hang {
	case Never, AtLogin:
	case AtAccept:
		_, _ = io.Copy(io.Discard, c)
		return
	case AtHandshake:
		_, _ = io.WriteString(c, "SSH-2.0-hanging\r\n")
		_, _ = io.Copy(io.Discard, c)
		return
	}
	server, channels, requests, err := ssh.NewServerConn(c, s.sshConfig(c))
	if err != nil {
		return
	}
	s.running.Go(func() {
		for request := range requests {
			if request.WantReply && !s.config.Mute {
				_ = request.Reply(false, nil)
			}
		}
	})
	places := make(chan struct{}, s.config.MaxSessions)
	for channel := range channels {
		if channel.ChannelType() == "direct-tcpip" && s.config.Forward {
			s.running.Go(func() { s.forward(c, channel) })
			continue
		}
		if channel.ChannelType() != "session" {
			_ = channel.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		select {
		case places <- struct{}{}:
			s.running.Go(func() { s.session(channel, sync.OnceFunc(func() { <-places })) })
		default:
			_ = channel.Reject(ssh.ConnectionFailed, "open failed") // as sshd says it
		}
	}
	_ = server.Wait()
}

func (s *Server) sshConfig(c *conn) *ssh.ServerConfig {
	config := &ssh.ServerConfig{}
	if !s.config.NoKeys {
		config.PublicKeyCallback = func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.config.Hang == AtLogin {
				<-c.closed
			}
			if s.allows(key) {
				return nil, nil
			}
			return nil, errors.New("unknown key")
		}
	}
	if s.config.Password != "" {
		config.PasswordCallback = func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if string(password) == s.config.Password {
				return nil, nil
			}
			return nil, errors.New("wrong password")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.hostKeys {
		config.AddHostKey(key)
	}
	return config
}
