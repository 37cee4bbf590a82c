package remote

import (
	"cmp"
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

	// Here is true for the operator's machine itself, which is reached without
	// SSH, as the user who runs the program. Of the rest only Name counts then.
	Here bool
	// OpenSSH, unless nil, says what the operator's ssh makes of the host. Addr
	// is then what a person would call it by, HOST or HOST:PORT, and its keys
	// are offered besides Keys.
	OpenSSH *OpenSSH
	// IdentityFile is a file with a private key, to offer first; with OpenSSH.
	IdentityFile string
	// Sudo is how commands become root's, see [Pool.Root]; nil where the user who
	// logs in is taken as it is.
	Sudo *Sudo

	called   string       // Addr before OpenSSH was asked
	lookup   string       // the address in known_hosts, if it is not Addr
	jump     *destination // the host by way of which it is reached, if any
	jumpKeys *HostKeys    // what is known of host keys without this host's files
	trail    []string     // the jump hosts that are reached by way of it
	jumpHost bool         // it only leads to a node
	locked   []string     // files of keys that cannot be used without a passphrase
}

// knownAs is the address by which known_hosts has the host.
func (h Host) knownAs() string { return cmp.Or(h.lookup, h.Addr) }

// byHand is the end of the command line of an ssh that a person may try; empty
// for hosts that the person's ssh knows nothing of.
func (h Host) byHand() string {
	if h.called == "" {
		return ""
	}
	host, port, err := splitPort(h.called)
	if err != nil || port == 0 {
		return h.User + "@" + host
	}
	return fmt.Sprintf("-p %d %s@%s", port, h.User, host)
}

// where names the host in messages.
func (h Host) where() string { return where(h.Name, h.Addr) }

func where(node, addr string) string {
	if node == "" {
		return addr
	}
	return fmt.Sprintf("%s at %s", node, addr)
}
