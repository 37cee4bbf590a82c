package cib

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// HistoryXPath selects what [Started] reads: what every node remembers of the
// services. The ids must be valid, which leaves nothing in them to quote.
func HistoryXPath(ids []string) string {
	return "//lrm_resource[" + resourceTests(ids) + "]"
}

// resourceTests is true of the elements that are named as the services' resources.
func resourceTests(ids []string) string {
	tests := make([]string, 0, len(ids))
	for _, id := range ids {
		tests = append(tests, "@id='"+cluster.ResourceName(id)+"'")
	}
	return strings.Join(tests, " or ")
}

// Started reads the output of cibadmin --query --xpath [HistoryXPath] and reports
// whether a start of each of the services has come to an end on some node, and
// none is under way.
func Started(text []byte, ids []string) (bool, error) {
	open := map[string]bool{}
	for _, id := range ids {
		open[cluster.ResourceName(id)] = true
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	resource := ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return len(open) == 0, nil
		}
		if err != nil {
			return false, fmt.Errorf("read history of services: %w", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch element.Name.Local {
		case "lrm_resource":
			resource = attribute(element, "id")
		case "lrm_rsc_op":
			if attribute(element, "operation") != "start" {
				continue
			}
			if attribute(element, "rc-code") == fmt.Sprint(codePending) {
				return false, nil
			}
			delete(open, resource)
		}
	}
}

func attribute(element xml.StartElement, name string) string {
	for _, attribute := range element.Attr {
		if attribute.Name.Local == name {
			return attribute.Value
		}
	}
	return ""
}
