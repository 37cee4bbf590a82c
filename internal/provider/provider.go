// Package provider is the contract of those who give us machines: allocate,
// find and release them. What runs on the machines is none of its business.
//
// Its test suite, which every provider passes, is in providertest.
package provider

import (
	"context"
	"errors"
	"io"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Machine is one allocated machine.
type Machine struct {
	Index int    // position in the cluster, from 0; stable
	Name  string // node name; stable
	ID    string // the provider's id
	// Connect is where its sshd answers the operator, as host:port; the host
	// alone where the operator's own configuration of SSH has the port. It may
	// be another after each start, and is empty while the machine is off where it
	// is not known beforehand.
	Connect string
	// Address is its own address inside the cluster; empty where only the
	// machine itself knows it.
	Address string
	// FQDN is the name by which clients of its services reach it.
	FQDN string
	// HostKey is its SSH host key in authorized_keys form, where the provider
	// can vouch for it; empty otherwise.
	HostKey string
	// Running is false for a machine that is powered off.
	Running bool
}

// Provider gives machines. Every method can be called again at any time,
// also after it was killed, and leaves nothing behind that Release does not find.
type Provider interface {
	// Allocate makes the machines of spec.Indexes() exist and run, and lets the
	// holder of the private key of authorizedKey (authorized_keys form) log in
	// to new ones. Machines that exist are kept, powered on if they are off,
	// and not otherwise touched; missing ones are made, all at once. Of
	// machines that the spec does not ask for, those of spec.Removed are left
	// as they are. It returns all by index, but for the removed. On an error or
	// a cancelled context what was made stays, for the next call to adopt.
	// progress is called with one line per step, from one goroutine at a time.
	Allocate(ctx context.Context, spec cluster.Spec, authorizedKey string, progress func(string)) ([]Machine, error)
	// Find returns the machines of the cluster by index, powered on or off;
	// none is not an error. It changes nothing. Removed machines are among
	// them until they are released.
	Find(ctx context.Context, spec cluster.Spec) ([]Machine, error)
	// Release gives all machines of the cluster back, with all that Allocate
	// made for them, and returns when they are gone. None is not an error.
	Release(ctx context.Context, spec cluster.Spec) error
	// ReleaseMachine gives one machine of the cluster back, running or not, and
	// returns when it and all that is its own are gone. A machine that is gone
	// already is not an error. The next Allocate makes another one of that
	// index, unless it is in spec.Removed then.
	ReleaseMachine(ctx context.Context, spec cluster.Spec, machine Machine) error
	// Authorize lets the holder of the key log in to a running machine, by the
	// provider's own way in. ErrNotSupported where there is none.
	Authorize(ctx context.Context, machine Machine, authorizedKey string) error
}

// ErrNotSupported says that a provider has no way to do something. Permanent.
var ErrNotSupported = errors.New("not supported by this type of cluster")

// Power is for failure drills: providers that can switch machines implement it.
type Power interface {
	// Kill powers a machine off at once, without any warning to it.
	Kill(ctx context.Context, machine Machine) error
	// Stop shuts a machine down and returns when it is off.
	Stop(ctx context.Context, machine Machine) error
	// Start powers a machine on; one that is on stays as it is.
	Start(ctx context.Context, machine Machine) error
}

// Freezer is for failure drills: providers that can stop a machine in its
// tracks implement it. A frozen machine is one that hangs: it does nothing and
// answers nobody, but keeps all that is in its memory, and it is still Running.
type Freezer interface {
	// Freeze stops a running machine; one that is frozen stays so. A machine
	// that is off is an error.
	Freeze(ctx context.Context, machine Machine) error
	// Thaw lets a frozen machine go on where it was; one that is not frozen
	// stays as it is, on or off.
	Thaw(ctx context.Context, machine Machine) error
}

// FenceDevice is what the nodes of a cluster switch each other off with.
type FenceDevice struct {
	// Agent is a fence agent that is installed on the nodes.
	Agent string
	// Parameters are the agent's, by name, as they will stand in the CIB, where
	// every node and every status can read them: none is secret.
	Parameters map[string]string
	// Secret is for the file [cluster.FenceSecretPath] on every node. It is
	// empty if the agent needs none.
	Secret []byte
}

// Fencer is implemented by providers of machines that can be switched off by
// other machines, without the operator's.
type Fencer interface {
	// FenceDevice makes what fencing needs, unless it is there, and returns it:
	// the same, also its secret, at every call, until the cluster is released.
	// The cluster's machines must be allocated. program returns sirikata-node
	// for a machine, by what its uname -m says; a provider that runs a part of
	// fencing itself runs that program, and replaces an older one. Release
	// takes away what it made.
	FenceDevice(ctx context.Context, spec cluster.Spec, program func(machine string) ([]byte, error)) (FenceDevice, error)
}

// ImageBuilder is implemented by providers that boot nodes from an image of
// ours.
type ImageBuilder interface {
	// BuildImage makes the image that Allocate uses, unless it exists and
	// rebuild is false. The tools' output goes to log. It returns the image's
	// name and whether it was built by this call.
	BuildImage(ctx context.Context, rebuild bool, log io.Writer) (name string, built bool, err error)
}
