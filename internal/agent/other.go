//go:build !linux

package agent

import "errors"

// The program is for Linux. What stands here lets the rest of the package be
// built and tested on the machine of somebody who works on it.

func openProcesses([]uint32) (watcher, error) { return nil, errors.ErrUnsupported }

func lockMemory() error { return errors.ErrUnsupported }
