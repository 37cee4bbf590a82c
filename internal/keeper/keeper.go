package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// survival is for how long a service must live to count as started.
	survival = 200 * time.Millisecond
	// stopWait is for how long a service may take to end on TERM before KILL,
	// and killWait how long it is looked whether that ended it.
	stopWait = 6 * time.Second
	killWait = 4 * time.Second
	// abandonWait is stopWait for what is left of a start that failed.
	abandonWait = 300 * time.Millisecond

	pollPause  = 20 * time.Millisecond
	lookPause  = time.Second // between two looks at the log
	shownLines = 10
)

// report is what a keeper tells the command that started it, once.
type report struct {
	Failure string `json:"failure,omitempty"` // empty when the service runs
	Output  string `json:"output,omitempty"`
}

// keeper is the parent of all processes of one service.
type keeper struct {
	plan  plan
	dir   directory
	run   run
	log   *os.File
	exits chan exit        // closed when no process is left
	terms <-chan os.Signal // we are asked to stop it
}

// exit is the end of a process below the keeper.
type exit struct {
	pid    int
	status syscall.WaitStatus
}

// Keep starts the service that stdin describes, says on out how that went and
// closes it, and lives as long as the service does. It is how [Serve] calls this
// program.
func Keep(stdin io.Reader, out io.Writer) int {
	// A terminal or a session that closes is not its affair.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE, syscall.SIGQUIT)
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	k := &keeper{exits: make(chan exit), terms: terms}
	err := json.NewDecoder(stdin).Decode(&k.plan)
	if err == nil {
		err = k.start()
	}
	said := report{}
	if err != nil {
		said = k.giveUp(err)
	}
	_ = json.NewEncoder(out).Encode(said) // whoever asked may be gone
	if closer, ok := out.(io.Closer); ok {
		_ = closer.Close()
	}
	if err != nil {
		return 1
	}
	k.keep()
	return 0
}

// start starts the service and returns when it has lived for a moment.
func (k *keeper) start() error {
	k.dir = directory{k.plan.Directory}
	if err := k.prepare(); err != nil {
		return err
	}
	pid, err := k.spawn()
	if err != nil {
		close(k.exits)
		return fmt.Errorf("could not be executed: %w", err)
	}
	go k.collect()
	if k.plan.Forking {
		err = k.forks(pid)
	} else {
		err = k.follow(pid)
	}
	if err == nil {
		err = k.survives()
	}
	if err != nil {
		return err
	}
	k.run.Started = true
	return k.dir.writeRun(k.plan.ID, k.run)
}

func (k *keeper) prepare() error {
	if err := becomeSubreaper(); err != nil {
		return fmt.Errorf("become the parent of its processes: %w", err)
	}
	run, err := newRun(k.plan)
	if err != nil {
		return err
	}
	k.run = run
	// Before there is a process: what is started must be found by whoever stops it.
	if err := k.dir.writeRun(k.plan.ID, k.run); err != nil {
		return err
	}
	k.log, err = k.dir.newLog(k.plan.ID)
	return err
}

// openFiles is the soft limit of open files: many daemons need more than 1024.
const openFiles = 65536

// spawn starts the command in a session of its own.
func (k *keeper) spawn() (int, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer func() { _ = null.Close() }()
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = min(openFiles, limit.Max)
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // it is a courtesy
	}
	sys := &syscall.SysProcAttr{Setsid: true}
	if as := k.plan.As; as != nil {
		sys.Credential = &syscall.Credential{Uid: as.UID, Gid: as.GID, Groups: as.Groups}
	}
	return syscall.ForkExec(k.plan.Command[0], k.plan.Command, &syscall.ProcAttr{
		Dir: k.plan.Cwd, Env: k.plan.Env, Sys: sys,
		Files: []uintptr{null.Fd(), k.log.Fd(), k.log.Fd()},
	})
}

// collect waits for the ends of all processes below, until there is none.
func (k *keeper) collect() {
	defer close(k.exits)
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil { // ECHILD: those below us have us for a parent at last
			return
		}
		k.exits <- exit{pid, status}
	}
}

// keep lives with the service until it is over.
func (k *keeper) keep() {
	ticks := time.NewTicker(lookPause)
	defer ticks.Stop()
	for {
		select {
		case ended, more := <-k.exits:
			if more && ended.pid != k.run.Main.PID {
				continue
			}
			if how := k.successor(ended, more); how != "" {
				k.over(how, stopWait)
				return
			}
		case <-k.terms:
			k.over("", stopWait)
			return
		case <-ticks.C:
			// What cannot be put aside goes on growing, and the disk says so.
			_ = k.dir.boundLog(k.plan.ID, k.log, maxLog)
			if !k.run.Main.alive() && !k.collectable() {
				k.over("ended", stopWait)
				return
			}
		}
	}
}

// collectable reports whether we are the parent of the process, so that its end
// is told.
func (k *keeper) collectable() bool {
	return parentOf(k.run.Main.PID) == os.Getpid()
}

// successor looks for the process by which the service lives on when that one
// has ended, such as one that replaced itself, and otherwise says how it ended.
func (k *keeper) successor(ended exit, more bool) string {
	if !more {
		return "ended"
	}
	how := k.ending(ended.status)
	if !k.plan.Forking {
		return how
	}
	next, err := k.main()
	if err != nil || next == k.run.Main || !next.alive() {
		return how
	}
	k.run.Main = next
	_ = k.dir.writeRun(k.plan.ID, k.run) // it is found by its keeper, too
	return ""
}

func (k *keeper) ending(status syscall.WaitStatus) string {
	how := Ending{Status: status.ExitStatus(), After: time.Since(k.run.Begun)}
	if status.Signaled() {
		how.Signal, how.Core = int(status.Signal()), status.CoreDump()
	}
	return how.String()
}

// over ends what is left and writes down why; an empty reason is a stop that
// somebody asked for.
func (k *keeper) over(reason string, patience time.Duration) {
	k.run.Ended = true
	if reason != "" {
		reason = WithLastWords(reason, k.words())
	}
	k.run.Reason = reason
	if reason != "" { // known before the rest of it has ended
		_ = k.dir.writeRun(k.plan.ID, k.run)
	}
	k.sweep(patience)
	_ = k.dir.writeRun(k.plan.ID, k.run) // nobody is left to tell
}
