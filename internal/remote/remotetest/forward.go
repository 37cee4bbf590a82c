package remotetest

import (
	"io"
	"net"
	"strconv"

	"golang.org/x/crypto/ssh"
)

// forward connects a client to another address (RFC 4254, section 7.2).
func (s *Server) forward(c *conn, channel ssh.NewChannel) {
	var to struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(channel.ExtraData(), &to); err != nil {
		_ = channel.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	there, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = channel.Reject(ssh.ConnectionFailed, "Connection refused") // as sshd says it
		return
	}
	defer func() { _ = there.Close() }()
	ch, requests, err := channel.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	s.running.Go(func() {
		<-c.closed
		_ = there.Close()
	})
	go func() {
		_, _ = io.Copy(there, ch)
		_ = there.Close()
	}()
	_, _ = io.Copy(ch, there)
	_ = ch.Close()
}
