package fence

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
)

// A conversation has three lines. The service greets with a word and a nonce;
// the agent sends a request, the service an answer. These two are JSON behind
// the HMAC-SHA256, under the shared secret, of themselves and of the line that
// they answer. As the greeting has a nonce of the service's and the request one
// of the agent's, neither line is good for a second conversation.
const (
	greeting = "sirikata-power/1 "
	refusal  = "refused" // instead of an answer to who does not know the secret
)

// maxLine is more than the answer with the names of a cluster's nodes needs.
const maxLine = 64 << 10

type request struct {
	Action action `json:"action"`
	Plug   string `json:"plug,omitempty"` // the name of a node
	Wait   int    `json:"wait,omitempty"` // seconds between off and on in a reboot
	Nonce  string `json:"nonce"`
}

type answer struct {
	Error string   `json:"error,omitempty"` // why it was not done
	Did   string   `json:"did,omitempty"`   // what was, for a person
	On    bool     `json:"on,omitempty"`    // of status
	Nodes []string `json:"nodes,omitempty"` // of list
}

// action is one of the Fence Agent API.
type action string

const (
	on      action = "on"
	off     action = "off"
	reboot  action = "reboot"
	status  action = "status"
	monitor action = "monitor" // is the service there, and the engine
	list    action = "list"
)

var errForged = errors.New("not signed with the secret of this cluster")

// seal is the line that says v in answer to another line.
func seal(secret []byte, answers string, v any) (string, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sign(secret, answers, payload)) + " " + string(payload), nil
}

// open reads a sealed line into v, or returns [errForged].
func open(secret []byte, answers, line string, v any) error {
	mac, payload, _ := bytes.Cut([]byte(line), []byte(" "))
	got, err := hex.DecodeString(string(mac))
	if err != nil || !hmac.Equal(got, sign(secret, answers, payload)) {
		return errForged
	}
	return json.Unmarshal(payload, v)
}

func sign(secret []byte, answers string, payload []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s\n%s", answers, payload)
	return mac.Sum(nil)
}

// wire is a connection as a sequence of lines. Its deadline is the caller's.
type wire struct {
	conn   net.Conn
	reader *bufio.Reader
}

func newWire(conn net.Conn) wire { return wire{conn, bufio.NewReaderSize(conn, maxLine)} }

func (w wire) send(line string) error {
	_, err := w.conn.Write([]byte(line + "\n"))
	return err
}

func (w wire) receive() (string, error) {
	line, err := w.reader.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return string(line[:len(line)-1]), nil
}

// nonce is different each time, and cannot be guessed.
func nonce() string { return rand.Text() }

// parseSecret reads the content of a file with the secret.
func parseSecret(content []byte) ([]byte, error) {
	const minSecret = 32
	secret := bytes.TrimSpace(content)
	if len(secret) < minSecret {
		return nil, fmt.Errorf("it has %d characters: a secret has %d at least", len(secret), minSecret)
	}
	return secret, nil
}
