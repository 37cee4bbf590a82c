package release

import (
	"errors"
	"io"
	"time"
)

// silence is how long nothing may come. A connection that broke somewhere on the
// way does not always end on this side, and an install that waits for ever would
// keep the next one out.
const silence = 30 * time.Second

var errSilent = errors.New("nothing came any more")

// impatient reads from in until nothing comes for a while.
func impatient(in io.Reader, wait time.Duration) io.Reader {
	out, to := io.Pipe()
	timer := time.AfterFunc(wait, func() { _ = to.CloseWithError(errSilent) })
	go func() {
		defer timer.Stop()
		buffer := make([]byte, 256<<10)
		for {
			n, err := in.Read(buffer)
			timer.Stop() // how long it takes to be used is no matter of the sender's
			if n > 0 {
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				_ = to.CloseWithError(err)
				return
			}
			timer.Reset(wait)
		}
	}()
	return out
}
