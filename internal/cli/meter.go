package cli

import (
	"fmt"
	"strings"
	"time"
)

// meter shows on a terminal how far something is: one line, which is written over
// and over again. Elsewhere it shows nothing.
type meter struct {
	a    *app
	what string
	last time.Time
	wide int // of the line that is shown
}

// meterPause is how often the line is written; a terminal over SSH is slow.
const meterPause = 100 * time.Millisecond

// meterBar is how many characters of a bar are all of it.
const meterBar = 30

func (a *app) meter(what string) *meter { return &meter{a: a, what: what} }

// at shows how much is done.
func (m *meter) at(done, all int64) {
	now := time.Now()
	if !isTerminal(m.a.err) || all <= 0 || (now.Sub(m.last) < meterPause && done < all) {
		return
	}
	m.last = now
	full := int(min(done, all) * meterBar / all)
	m.show(fmt.Sprintf("%s [%s%s] %3d %% of %s", m.what, strings.Repeat("#", full), strings.Repeat("-", meterBar-full),
		min(done, all)*100/all, bytesText(all)))
}

// end leaves nothing of the line.
func (m *meter) end() {
	if m.wide > 0 {
		m.show("")
	}
}

func (m *meter) show(line string) {
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	pad := strings.Repeat(" ", max(0, m.wide-len(line)))
	fmt.Fprintf(m.a.err, "\r%s%s\r%s", line, pad, line)
	m.wide = len(line)
}

// bytesText writes a size as people say it.
func bytesText(n int64) string {
	const kilo = 1000
	if n < kilo {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n)/kilo, "kB"
	for _, larger := range []string{"MB", "GB", "TB"} {
		if size < kilo {
			break
		}
		size, unit = size/kilo, larger
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
