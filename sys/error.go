package sys

// Error is what the packages above this one answer: the operation, the thing it was done to, and why it failed.
type Error struct {
	Op    string // what was attempted: "create map", "pin"
	Thing string // what it was done to: a name, a path
	Err   error  // why not; an errno is kept, so that errors.Is finds it
	Do    string // what the user can do about it, "" if nothing is known
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
