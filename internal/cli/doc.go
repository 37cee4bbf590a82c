// Package cli is the command line: one file per command, flags, prompts,
// printing and exit codes. It is the only package that prints, and it uses
// nothing but the public packages, nodegroup and cluster.
//
// Start at [Main]; the tree of commands is in root.go.
package cli
