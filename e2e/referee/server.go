package referee

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// patience is how long a connection may be silent: longer than a node is ever
// frozen, short enough that those of dead nodes do not pile up.
const patience = 2 * time.Minute

// Referee receives beats.
type Referee struct {
	listener net.Listener
	open     sync.WaitGroup

	mutex       sync.Mutex
	known       map[string]*Incarnation // by their ids
	connections map[net.Conn]bool
	faults      []error
}

// Listen starts a referee on host:port; port 0 is any.
func Listen(address string) (*Referee, error) {
	if Now() < 0 {
		return nil, errors.New("referee: there is no clock that the nodes share with this machine: it is not Linux")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("referee: %w", err)
	}
	r := &Referee{listener: listener, known: map[string]*Incarnation{}, connections: map[net.Conn]bool{}}
	r.open.Go(r.accept)
	return r, nil
}

// Address is where it listens.
func (r *Referee) Address() string { return r.listener.Addr().String() }

// Close stops it and waits until it has. What is known can still be asked.
func (r *Referee) Close() error {
	err := r.listener.Close()
	r.mutex.Lock()
	for connection := range r.connections {
		_ = connection.Close() // its reader notices
	}
	r.connections = nil // later ones are refused
	r.mutex.Unlock()
	r.open.Wait()
	return err
}

// View is what is known now.
func (r *Referee) View() View {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return newView(Now(), r.known)
}

// Faults are the lines that made no sense: none in a drill that proves
// something.
func (r *Referee) Faults() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return errors.Join(r.faults...)
}

func (r *Referee) accept() {
	for {
		connection, err := r.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				r.fault(err)
			}
			return
		}
		if r.enter(connection) {
			r.open.Go(func() { r.serve(connection) })
		}
	}
}

func (r *Referee) enter(connection net.Conn) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.connections == nil {
		_ = connection.Close() // too late
		return false
	}
	r.connections[connection] = true
	return true
}

// serve reads beats until the connection ends. A line without an end is one
// whose sender died: it says nothing.
func (r *Referee) serve(connection net.Conn) {
	defer func() {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		delete(r.connections, connection)
		_ = connection.Close() // was only read
	}()
	reader := bufio.NewReaderSize(connection, maxLine)
	for {
		if err := connection.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return
		}
		line, err := reader.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			r.fault(fmt.Errorf("%v: a line without an end: %q", connection.RemoteAddr(), line[:40]))
			return
		}
		if err != nil {
			return
		}
		if err := r.take(string(line[:len(line)-1])); err != nil {
			r.fault(fmt.Errorf("%v: %w", connection.RemoteAddr(), err))
			return
		}
	}
}

func (r *Referee) fault(err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.faults = append(r.faults, err)
}

// take takes one line in.
func (r *Referee) take(line string) error {
	beat, err := ParseBeat(line)
	if err != nil {
		return fmt.Errorf("%w: %q", err, line)
	}
	// By one clock nothing is received before it is sent.
	if now := Now(); beat.Clock > now {
		return fmt.Errorf("beat %q is from the future: it is %d here; its sender has another kernel", line, now)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	known := r.known[beat.Incarnation]
	if known == nil {
		known = &Incarnation{ID: beat.Incarnation, Service: beat.Service, Node: beat.Node}
		r.known[beat.Incarnation] = known
	}
	if known.Service != beat.Service || known.Node != beat.Node {
		return fmt.Errorf("beat %q: that incarnation is of service %s on %s", line, known.Service, known.Node)
	}
	known.add(beat.Clock)
	return nil
}
