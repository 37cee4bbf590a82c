//go:build !linux

package keeper

import "errors"

// The program is for Linux. What stands here lets the rest of the package be
// built on the machine of somebody who works on it.

// MayExecute is for Linux.
func MayExecute(Account, string) error { return errors.ErrUnsupported }

func becomeSubreaper() error { return errors.ErrUnsupported }

func signalProcess(Identity, int) error { return errors.ErrUnsupported }
