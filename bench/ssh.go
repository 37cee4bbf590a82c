package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	sshHosts = 24
	// connectTimeout is ours; the peers get the same.
	connectTimeout = 5 * time.Second
)

// contender is one of those that do the same work.
type contender struct {
	name string
	argv func(command ...string) []string
}

// ssh measures a command on all hosts at once, beside parallel-ssh and clush: when all
// of them answer, and when one of them drops all packets.
func (b *bench) ssh() error {
	if b.peers {
		if err := need(map[string]string{"parallel-ssh": "pssh", "clush": "clustershell"}); err != nil {
			return err
		}
	}
	defer removeHosts()
	h, err := b.newHosts(sshHosts)
	if err != nil {
		return err
	}
	contenders := h.contenders()
	if !b.peers {
		contenders = contenders[:1]
	}
	all, err := inAlternation(b.runs, len(contenders), func(i int) (time.Duration, error) {
		argv := contenders[i].argv("true")
		begin := time.Now()
		err := execute(argv...)
		return time.Since(begin), err
	})
	if err != nil {
		return err
	}
	b.compare(fmt.Sprintf("`ssh NAME -- true` on %d hosts", sshHosts), contenders, all, 0)
	return b.oneSilent(h, contenders)
}

// oneSilent measures when the other hosts ran a command, when that was shown, and when
// the whole ended.
func (b *bench) oneSilent(h *hosts, contenders []contender) error {
	if err := h.silence(h.addresses[len(h.addresses)-1]); err != nil {
		return err
	}
	ran, shown := make([]sample, len(contenders)), make([]sample, len(contenders))
	ended, err := inAlternation(min(b.runs, 3), len(contenders), func(i int) (time.Duration, error) {
		took, err := answers(contenders[i].argv("date", "+%s%N"), sshHosts-1)
		ran[i], shown[i] = append(ran[i], took.ran), append(shown[i], took.shown)
		return took.ended, err
	})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("one of %d hosts silent: ", sshHosts)
	b.compare(what+"the others ran the command", contenders, ran, 0)
	b.compare(what+"that is shown", contenders, shown, 0)
	b.compare(what+"end", contenders, ended, connectTimeout+time.Second)
	return nil
}

// contenders are we, and then the peers. They know the same host keys, have the same
// key and the same time-out, and make new connections each time, as we do.
func (h *hosts) contenders() []contender {
	options := []string{"IdentityFile=" + h.key, "UserKnownHostsFile=" + h.known, "StrictHostKeyChecking=yes",
		"ControlMaster=no", "ControlPath=none", fmt.Sprintf("ConnectTimeout=%.0f", connectTimeout.Seconds())}
	seconds := fmt.Sprintf("%.0f", connectTimeout.Seconds())
	pssh := []string{"parallel-ssh", "--inline-stdout", "--user=" + hostsUser, "--timeout=" + seconds}
	clush := []string{"clush", "--nostdin", "--maxrc", "--user=" + hostsUser, "--connect_timeout=" + seconds,
		"--options=-o " + strings.Join(options, " -o "), "-w", strings.Join(h.addresses, ",")}
	for _, option := range options {
		pssh = append(pssh, "--option="+option)
	}
	for _, address := range h.addresses {
		pssh = append(pssh, "--host="+address)
	}
	after := func(before ...string) func(...string) []string {
		return func(command ...string) []string { return append(before[:len(before):len(before)], command...) }
	}
	return []contender{
		{"ours", after(binary, "ssh", hostsName, "--")},
		{"parallel-ssh", after(pssh...)},
		{"clush", after(clush...)},
	}
}

// compare reports what contenders took, of whom we are the first.
func (b *bench) compare(what string, contenders []contender, all []sample, limit time.Duration) {
	r := row{what: what, ours: all[0], limit: limit}
	for i, each := range contenders[1:] {
		r.peers = append(r.peers, peer{each.name, all[i+1]})
	}
	b.report(r)
}

// inAlternation collects runs of several things, each time in another order, so that
// none always has what another left behind.
func inAlternation(runs, things int, do func(thing int) (time.Duration, error)) ([]sample, error) {
	all := make([]sample, things)
	for run := range runs {
		for i := range things {
			thing := (run + i) % things
			took, err := do(thing)
			if err != nil {
				return nil, err
			}
			all[thing] = append(all[thing], took)
		}
	}
	return all, nil
}

// answered is when the last answer was given by a host, when it was shown, and when
// the command ended.
type answered struct{ ran, shown, ended time.Duration }

// clock is what a host answers: nanoseconds of its clock, which is this machine's.
var clock = regexp.MustCompile(`\b[0-9]{19}\b`)

// answers runs what prints the clocks of hosts, and fails for others.
func answers(argv []string, want int) (answered, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return answered{}, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return answered{}, err
	}
	var all answered
	seen := 0
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		nanoseconds, err := strconv.ParseInt(clock.FindString(lines.Text()), 10, 64)
		if err != nil {
			continue // not an answer
		}
		seen++
		all.ran = max(all.ran, time.Unix(0, nanoseconds).Sub(begin))
		all.shown = time.Since(begin)
	}
	_ = cmd.Wait() // it says that a host did not answer
	all.ended = time.Since(begin)
	if seen != want {
		return answered{}, fmt.Errorf("%s: %d hosts answered, not %d", argv[0], seen, want)
	}
	return all, nil
}
