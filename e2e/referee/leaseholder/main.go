// Command leaseholder is a service of the drills: it works, and tells a referee
// so, until it is told to end.
//
//	leaseholder [--worker | --daemon=PIDFILE] SERVICE REFEREE
//
// It works itself; or, with --worker, a child of it does, which lives on when
// only the parent is killed; or, with --daemon, it forks away as daemons do.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/sirikata/sirikata-cluster/e2e/referee"
)

func main() {
	worker := flag.Bool("worker", false, "leave the work to a child")
	pidFile := flag.String("daemon", "", "fork, write the child's pid to this file, and end")
	flag.Parse()
	if err := run(*worker, *pidFile, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "leaseholder:", err)
		os.Exit(1)
	}
}

func run(worker bool, pidFile string, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want SERVICE and REFEREE, got %q", args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if !worker && pidFile == "" {
		node, err := os.Hostname()
		if err != nil {
			return err
		}
		referee.Holder{Service: args[0], Node: node, Referee: args[1]}.Work(ctx)
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.Command(self, args...)
	if err := child.Start(); err != nil {
		return err
	}
	if worker {
		return child.Wait() // systemd tells all of the service to end, also the child
	}
	return os.WriteFile(pidFile, []byte(strconv.Itoa(child.Process.Pid)+"\n"), 0o644)
}
