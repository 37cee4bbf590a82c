package referee

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Beat says that a process did its work at a moment.
type Beat struct {
	Service     string
	Node        string
	Incarnation string        // of the process; no two have the same
	Clock       time.Duration // [Now] of the sender, as it did the work
}

// maxLine is more than the longest line that a holder sends.
const maxLine = 512

var errBeat = errors.New(`not a beat: want "SERVICE NODE INCARNATION CLOCK"`)

var beatWord = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

// String is the beat as it is sent, without the end of the line.
func (b Beat) String() string {
	return fmt.Sprintf("%s %s %s %d", b.Service, b.Node, b.Incarnation, b.Clock.Nanoseconds())
}

// ParseBeat is the inverse of [Beat.String].
func ParseBeat(line string) (Beat, error) {
	words := strings.Split(line, " ")
	if len(words) != 4 {
		return Beat{}, errBeat
	}
	for _, word := range words[:3] {
		if !beatWord.MatchString(word) {
			return Beat{}, errBeat
		}
	}
	clock, err := strconv.ParseInt(words[3], 10, 64)
	if err != nil || clock < 0 || strconv.FormatInt(clock, 10) != words[3] {
		return Beat{}, errBeat
	}
	return Beat{Service: words[0], Node: words[1], Incarnation: words[2], Clock: time.Duration(clock)}, nil
}
