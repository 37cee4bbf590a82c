package referee

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"time"
)

const (
	// lastWork is for how long a holder that was told to end still works, as
	// daemons do that write down what they have.
	lastWork = 200 * time.Millisecond
	// sendLimit is how long one beat may take to be sent.
	sendLimit = 500 * time.Millisecond
)

// Holder is the work of one service.
type Holder struct {
	Service string
	Node    string
	Referee string // its address
}

// Work works until the context ends, and a little longer. It goes on while the
// referee cannot be reached, as a daemon would; what could not be sent is
// forgotten.
func (h Holder) Work(ctx context.Context) {
	sender := sender{address: h.Referee}
	defer sender.close()
	incarnation := rand.Text()[:12]
	ticker := time.NewTicker(BeatPause)
	defer ticker.Stop()
	end := ctx.Done()
	var over <-chan time.Time
	for {
		sender.send(Beat{Service: h.Service, Node: h.Node, Incarnation: incarnation, Clock: Now()})
		select {
		case <-ticker.C:
		case <-end:
			end, over = nil, time.After(lastWork)
		case <-over:
			return
		}
	}
}

// sender sends beats over one connection after the other.
type sender struct {
	address    string
	connection net.Conn
}

// send sends a beat, or loses it.
func (s *sender) send(beat Beat) {
	if s.connection == nil {
		connection, err := net.DialTimeout("tcp", s.address, sendLimit)
		if err != nil {
			return
		}
		s.connection = connection
	}
	_ = s.connection.SetWriteDeadline(time.Now().Add(sendLimit)) // if it fails, so does the write
	if _, err := fmt.Fprintf(s.connection, "%s\n", beat); err != nil {
		s.close() // half a line may be out
	}
}

func (s *sender) close() {
	if s.connection != nil {
		_ = s.connection.Close() // nothing is left to be sent
		s.connection = nil
	}
}
