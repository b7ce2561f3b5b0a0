package sys

// Error is what the packages above this one answer: the operation, the thing it was done to, and why it failed.
type Error struct {
	Op    string // what was attempted: "create map", "pin"
	Thing string // what it was done to: a name, a path
	Err   error  // why not; an errno is kept, so that errors.Is finds it
	Do    string // what the user can do about it, "" if nothing is known
}

// Fail makes an [Error] of its four fields. It is called in some hundred places, each of which would be larger with the structure
// written out, or with this inlined.
//
//go:noinline
func Fail(op, thing string, err error, do string) error {
	return &Error{Op: op, Thing: thing, Err: err, Do: do}
}

// Error gives "op thing: err (do)".
func (e *Error) Error() string {
	s := e.Op
	if e.Thing != "" {
		s += " " + e.Thing
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Do != "" {
		s += " (" + e.Do + ")"
	}
	return s
}

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }
