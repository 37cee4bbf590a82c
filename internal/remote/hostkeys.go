package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// HostKeys decides whether the key that a host shows is trusted. The first of
// these that knows the host decides alone:
//
//  1. its pin, made by [HostKeys.Pin] or at first contact,
//  2. the provider, by [Host.HostKey],
//  3. the user's known_hosts, by the address,
//  4. first contact: the key is trusted and pinned.
//
// Nothing turns the check off. All methods may be called at once, from many
// goroutines and many processes that share the file of pins.
type HostKeys struct {
	name      string // of the cluster
	pins      pinFile
	userKnown []string
}

// NewHostKeys uses the file of pins at pinsPath, in the format of known_hosts
// and keyed by the name of the node, and the user's known_hosts, which is only
// read. Neither need exist, and userKnownHosts may be empty. The name of the
// cluster is for hints alone.
func NewHostKeys(name, pinsPath, userKnownHosts string) *HostKeys {
	keys := &HostKeys{name: name, pins: pinFile{path: pinsPath}}
	return keys.alsoBy([]string{userKnownHosts})
}

// alsoBy are the same with more files in the format of known_hosts.
func (k *HostKeys) alsoBy(files []string) *HostKeys {
	more := *k
	more.userKnown = append(slices.Clone(k.userKnown), files...)
	return &more
}

// Pin trusts key, and no other, for the node from now on. Idempotent; on an
// error the former pin stands.
func (k *HostKeys) Pin(node string, key ssh.PublicKey) error { return k.pins.replace(node, key) }

// Forget removes the pin of the node, so that its next contact is the first.
// Having none is success.
func (k *HostKeys) Forget(node string) error { return k.pins.replace(node, nil) }

// Known returns the pin of the node. It reports none, too, where the pins
// cannot be read; [Dial] says why.
func (k *HostKeys) Known(node string) (ssh.PublicKey, bool) {
	key, err := k.pins.get(node)
	return key, err == nil && key != nil
}

// Expected returns the key that the host is to show: its pin, or else what the
// provider or the user's known_hosts say; nil if nobody says anything.
func (k *HostKeys) Expected(ctx context.Context, host Host) (ssh.PublicKey, error) {
	if known, err := k.pins.get(host.Name); err != nil || known != nil {
		return known, err
	}
	if host.HostKey != nil {
		return host.HostKey, nil
	}
	if host.OpenSSH != nil {
		way, err := host.OpenSSH.route(ctx, host, k)
		if err != nil {
			return nil, err
		}
		way.close()
		host, k = way.host, way.keys
	}
	user, err := readUserKnown(k.userKnown...)
	if err != nil {
		return nil, err
	}
	return user.plain(host.knownAs()), nil
}

// EnsurePinned pins what the provider, or else the user's known_hosts, says of
// a host without a pin, so that the system's ssh, which reads only the pins
// (see [InteractiveArgs]), trusts what we trust. A pin that stands is kept. For
// a host of which nothing is known it is an error: [Dial] it first.
func (k *HostKeys) EnsurePinned(host Host) error {
	key, err := k.Expected(context.Background(), host) // no OpenSSH is asked: nothing to wait for
	if err != nil {
		return err
	}
	if key == nil {
		return fmt.Errorf("pin host key of %s: none is known yet", host.where())
	}
	_, err = k.pins.add(host.Name, key)
	return err
}

// expectation is what to ask of a host, and how to judge what it shows.
type expectation struct {
	// algorithms are those of the keys that we know: a host has keys of several
	// types, and would otherwise show one that we cannot compare.
	algorithms []string
	check      ssh.HostKeyCallback
	known      string // fingerprint, for messages; empty at first contact
}

func (k *HostKeys) expect(host Host) (expectation, error) {
	if !host.jumpHost {
		pinned, err := k.pins.get(host.Name)
		if err != nil {
			return expectation{}, err
		}
		if pinned != nil {
			return k.exactly(host, pinned), nil
		}
	}
	if host.HostKey != nil {
		return k.exactly(host, host.HostKey), nil
	}
	user, err := readUserKnown(k.userKnown...)
	if err != nil {
		return expectation{}, err
	}
	if user.db != nil {
		return k.asUserKnows(host, user), nil
	}
	return k.firstContact(host), nil
}

func (k *HostKeys) exactly(host Host, key ssh.PublicKey) expectation {
	return expectation{
		algorithms: algorithmsOf(key.Type()),
		known:      ssh.FingerprintSHA256(key),
		check: func(_ string, _ net.Addr, offered ssh.PublicKey) error {
			if sameKey(key, offered) {
				return nil
			}
			return k.changed(host, ssh.FingerprintSHA256(key), offered)
		},
	}
}

func (k *HostKeys) firstContact(host Host) expectation {
	if host.jumpHost {
		return unknownJump(host)
	}
	return expectation{
		algorithms: plainAlgorithms(),
		check: func(_ string, _ net.Addr, offered ssh.PublicKey) error {
			winner, err := k.pins.add(host.Name, offered)
			if err != nil {
				return &hostKeyError{err}
			}
			if !sameKey(winner, offered) {
				return k.changed(host, ssh.FingerprintSHA256(winner), offered)
			}
			return nil
		},
	}
}

// unknownJump is what is expected of a jump host that the user's known_hosts
// does not know: nothing. The user's ssh goes through it, too, and has to know it
// all the same.
func unknownJump(host Host) expectation {
	return expectation{
		algorithms: plainAlgorithms(),
		check: func(_ string, _ net.Addr, offered ssh.PublicKey) error {
			return &hostKeyError{cluster.WithHint(fmt.Errorf("host key of %s is in none of your known_hosts; it shows %s",
				host.where(), ssh.FingerprintSHA256(offered)), "log in once, and accept it: ssh %s", host.byHand())}
		},
	}
}

// asUserKnows follows the user's known_hosts; a host that it knows no key of is
// one of first contact, unless the key it shows is revoked there.
func (k *HostKeys) asUserKnows(host Host, user userKnown) expectation {
	first := k.firstContact(host)
	callback := user.db.HostKeyCallback()
	plain := user.plain(host.knownAs())
	result := expectation{algorithms: user.db.HostKeyAlgorithms(host.knownAs())}
	if plain == nil {
		// A certificate authority may vouch for the host, or say nothing of it.
		result.algorithms = append(result.algorithms, first.algorithms...)
	} else {
		result.known = ssh.FingerprintSHA256(plain)
	}
	result.check = func(addr string, remote net.Addr, offered ssh.PublicKey) error {
		err := callback(host.knownAs(), remote, offered)
		var unknown *xknownhosts.KeyError
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &unknown):
			return &hostKeyError{fmt.Errorf("check host key of %s by %s: %w", host.where(), strings.Join(k.userKnown, ", "), err)}
		case plain == nil:
			return first.check(addr, remote, offered)
		}
		return k.changed(host, result.known, offered)
	}
	return result
}

func (k *HostKeys) changed(host Host, known string, offered ssh.PublicKey) error {
	return &HostKeyChangedError{
		Cluster: k.name, Node: host.Name, Addr: host.Addr, jump: host.jumpHost,
		Known: known, Offered: ssh.FingerprintSHA256(offered), OfferedKey: plainKey(offered),
	}
}

// hostKeyError marks an error of the check itself. Permanent.
type hostKeyError struct{ error }

func (e *hostKeyError) Unwrap() error { return e.error }
