package agent

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

func (s *systemd) state(ctx context.Context, unit string) (unitState, error) {
	var path dbus.ObjectPath
	err := s.manage(ctx, "GetUnit", []any{unit}, &path)
	if hasName(err, noSuchUnit) {
		return unitState{}, nil
	}
	if err != nil {
		return unitState{}, fmt.Errorf("look up %s: %w", unit, err)
	}
	// All properties in one call, or they would be of different moments.
	properties := map[string]dbus.Variant{}
	err = s.call(ctx, path, "org.freedesktop.DBus.Properties.GetAll", []any{""}, &properties)
	if err != nil {
		return unitState{}, fmt.Errorf("read %s: %w", unit, err)
	}
	return decodeState(properties), nil
}

// decodeState reads the properties of a service unit. One that is missing, or
// of an unexpected type, is as if systemd did not know it. LoadState does not
// matter: whatever systemd thinks of a unit's file, its processes run.
func decodeState(properties map[string]dbus.Variant) unitState {
	state := unitState{
		active:     value[string](properties, "ActiveState"),
		sub:        value[string](properties, "SubState"),
		result:     value[string](properties, "Result"),
		invocation: hex.EncodeToString(value[[]byte](properties, "InvocationID")),
		began:      stamp(value[uint64](properties, "InactiveExitTimestamp")),
		mainPID:    value[uint32](properties, "MainPID"),
		controlPID: value[uint32](properties, "ControlPID"),
		main: ending{
			code:   value[int32](properties, "ExecMainCode"),
			status: value[int32](properties, "ExecMainStatus"),
			after: lasted(
				value[uint64](properties, "ExecMainStartTimestampMonotonic"),
				value[uint64](properties, "ExecMainExitTimestampMonotonic")),
		},
	}
	// ExecStart is a(sasbttttuii): path, arguments, whether a failure counts,
	// start and exit by both clocks, pid, code, status.
	const arguments, started, exited, code, status, fields = 1, 4, 6, 8, 9, 10
	commands := value[[][]any](properties, "ExecStart")
	if len(commands) == 0 || len(commands[0]) != fields {
		return state
	}
	first := commands[0]
	state.command, _ = first[arguments].([]string)
	state.control.code, _ = first[code].(int32)
	state.control.status, _ = first[status].(int32)
	begin, _ := first[started].(uint64)
	end, _ := first[exited].(uint64)
	state.control.after = lasted(begin, end)
	return state
}

func value[T any](properties map[string]dbus.Variant, name string) T {
	v, _ := properties[name].Value().(T)
	return v
}

// stamp is one of systemd's times, in microseconds.
func stamp(micro uint64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(micro))
}

// lasted is the time between two of systemd's stamps, in microseconds.
func lasted(start, exit uint64) time.Duration {
	if start == 0 || exit < start {
		return 0
	}
	return time.Duration(exit-start) * time.Microsecond
}
