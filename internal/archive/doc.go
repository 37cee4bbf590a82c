// Package archive makes, checks and unpacks the tar archives in which releases
// and other files travel to nodes. It is linked by both programs: what one packs
// the other unpacks by the same [Rules].
//
// It runs nothing but compressors, connects to nobody, and does not know where a
// release lies on a node.
//
// Start at [Scan], [Tree.Write] and [Unpack].
package archive
