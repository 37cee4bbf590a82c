package cib

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/sirikata/sirikata-cluster/cluster"
)

// Options of the cluster that are ours: Pacemaker keeps those that it does not know
// (its tools call them custom), on every full node.
const (
	usedOption    = "sirikata-nodes-used"
	removedOption = "sirikata-nodes-removed"
)

// pastOptions are the options that say which indexes of nodes were used.
func pastOptions(past cluster.Past) map[string]string {
	options := map[string]string{usedOption: strconv.Itoa(past.Used)}
	var removed []string
	for _, index := range past.Removed {
		removed = append(removed, strconv.Itoa(index))
	}
	if len(removed) > 0 {
		options[removedOption] = strings.Join(removed, " ")
	}
	return options
}

// ParsePast reads, from the output of cibadmin --query with the scope configuration
// or crm_config, which indexes of nodes the cluster has used. It is empty for a
// cluster that does not say.
func ParsePast(text []byte) (cluster.Past, error) {
	var config struct {
		Nested []Attribute `xml:"crm_config>cluster_property_set>nvpair"` // of the configuration
		Pairs  []Attribute `xml:"cluster_property_set>nvpair"`            // of crm_config
	}
	if err := xml.Unmarshal(text, &config); err != nil {
		return cluster.Past{}, fmt.Errorf("read options of the CIB: %w", err)
	}
	options := AttributeSet{Pairs: append(config.Nested, config.Pairs...)}.values()
	var past cluster.Past
	var err error
	if used := options[usedOption]; used != "" {
		if past.Used, err = strconv.Atoi(used); err != nil {
			return cluster.Past{}, fmt.Errorf("read option %s of the CIB: %w", usedOption, err)
		}
	}
	for _, word := range strings.Fields(options[removedOption]) {
		index, err := strconv.Atoi(word)
		if err != nil {
			return cluster.Past{}, fmt.Errorf("read option %s of the CIB: %w", removedOption, err)
		}
		past.Removed = append(past.Removed, index)
	}
	return past, nil
}
