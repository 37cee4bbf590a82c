package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/sirikata/sirikata-cluster/cluster"
	"github.com/sirikata/sirikata-cluster/nodegroup"
)

// failover measures the loss of one of three nodes.
func (b *bench) failover() error {
	return b.killed("of 3 full nodes the one with Redis", 3*time.Second, 5*time.Second)
}

// killed measures a node killed until its Redis answers elsewhere, as who asks it
// from outside sees it.
func (b *bench) killed(which string, goal, limit time.Duration) error {
	took, err := repeat(min(b.runs, 5), func(int) (time.Duration, error) {
		before, err := status()
		if err != nil {
			return 0, err
		}
		dead, err := nodeOfRedis()
		if err != nil {
			return 0, err
		}
		begin := time.Now()
		if _, err := program("local", "nodes", "kill", name, dead); err != nil {
			return 0, err
		}
		if err := waitForRedis(before.Nodes, dead); err != nil {
			return 0, err
		}
		d := time.Since(begin)
		_, err = program("local", "nodes", "boot", name)
		return d, err
	})
	b.report(row{what: which + " killed → it answers elsewhere", ours: took, goal: goal, limit: limit})
	return err
}

// silent measures a node that is cut off, whose connections do not end, until its
// service runs elsewhere, as the cluster sees it.
func (b *bench) silent(which string, limit time.Duration) error {
	var noticed, fenced sample
	took, err := repeat(min(b.runs, 3), func(int) (time.Duration, error) {
		node, err := nodeOfRedis()
		if err != nil {
			return 0, err
		}
		out, err := program("local", "crash", "test", name, "--kind=cut", "--node="+node, "--yes", "-o", "json")
		if err != nil {
			return 0, err
		}
		var seen nodegroup.CrashReport
		if err := json.Unmarshal([]byte(out), &seen); err != nil {
			return 0, fmt.Errorf("read the report of a crash test: %w", err)
		}
		if seen.Noticed == nil || seen.Fenced == nil || len(seen.Services) == 0 || seen.Services[0].Restarted == nil {
			return 0, fmt.Errorf("crash test on %s: not all was seen: %s", node, out)
		}
		noticed, fenced = append(noticed, inSeconds(*seen.Noticed)), append(fenced, inSeconds(*seen.Fenced))
		return inSeconds(*seen.Services[0].Restarted), nil
	})
	b.report(row{what: which + " cut off → it runs elsewhere", ours: took, limit: limit})
	b.report(row{what: "of it, until it was noticed", ours: noticed})
	b.report(row{what: "of it, until it was fenced", ours: fenced})
	return err
}

func inSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// detection says how long the cluster itself says that it takes.
func (b *bench) detection(where string) error {
	now, err := status()
	if err != nil {
		return err
	}
	said := fmt.Sprintf("full %g s", now.DetectionSeconds)
	if now.RemoteDetectionSeconds > 0 {
		said += fmt.Sprintf(", remote %g s at most", now.RemoteDetectionSeconds)
	}
	b.report(row{what: "`detection_seconds` " + where, ours: text(said)})
	return nil
}

func nodeOfRedis() (string, error) {
	now, err := status()
	if err != nil {
		return "", err
	}
	service, _ := now.Service("redis")
	if service.Node == "" {
		return "", errors.New("redis runs nowhere")
	}
	return service.Node, nil
}

// waitForRedis waits until a node other than the dead one answers PING.
func waitForRedis(nodes []cluster.Node, dead string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, node := range nodes {
			if node.Name != dead && ping(net.JoinHostPort(node.Address, redisPort)) {
				return nil
			}
		}
	}
	return errors.New("redis did not come back within a minute")
}

func ping(address string) bool {
	const patience = 200 * time.Millisecond
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return false
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	answer := make([]byte, 7)
	n, _ := conn.Read(answer)
	return strings.HasPrefix(string(answer[:n]), "+PONG")
}
