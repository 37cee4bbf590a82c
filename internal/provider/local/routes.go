package local

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net"
	"net/netip"
	"os"
	"strings"
)

// hostSubnets returns what this machine's interfaces and routes take. What it
// cannot learn is left out: the engine refuses overlaps that it sees itself.
func hostSubnets() []netip.Prefix {
	var subnets []netip.Prefix
	addresses, _ := net.InterfaceAddrs() // see above
	for _, a := range addresses {
		if subnet, err := netip.ParsePrefix(a.String()); err == nil && subnet.Addr().Is4() {
			subnets = append(subnets, subnet.Masked())
		}
	}
	table, _ := os.ReadFile("/proc/net/route") // there is none but on Linux
	return append(subnets, parseRoutes(string(table))...)
}

// parseRoutes reads the destinations of /proc/net/route but for the default
// one: hexadecimal, in the byte order of the machine, which is little-endian on
// all that we support.
func parseRoutes(table string) []netip.Prefix {
	var subnets []netip.Prefix
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			continue
		}
		destination, errD := hex.DecodeString(fields[1])
		mask, errM := hex.DecodeString(fields[7])
		if errD != nil || errM != nil || len(destination) != 4 || len(mask) != 4 {
			continue // the heading
		}
		ones := bits.OnesCount32(binary.BigEndian.Uint32(mask))
		if ones == 0 {
			continue
		}
		address := netip.AddrFrom4([4]byte{destination[3], destination[2], destination[1], destination[0]})
		subnets = append(subnets, netip.PrefixFrom(address, ones))
	}
	return subnets
}
