package remote

import (
	"fmt"

	"golang.org/x/crypto/ssh"
)

// Host is how to reach one node. How it was found out (the provider, the
// user's configuration of ssh) is not this package's business.
type Host struct {
	Name    string        // node name, for messages and for the pin of its host key
	Addr    string        // where its sshd answers, as host:port
	User    string        // who to log in as
	Keys    []ssh.Signer  // private keys to offer, in this order
	HostKey ssh.PublicKey // vouched for by the provider; nil if unknown
}

// where names the host in messages.
func (h Host) where() string { return where(h.Name, h.Addr) }

func where(node, addr string) string {
	if node == "" {
		return addr
	}
	return fmt.Sprintf("%s at %s", node, addr)
}
