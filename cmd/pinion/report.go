package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// Exit statuses.
const (
	done    = 0
	failed  = 1
	misused = 2
	refused = 3
)

// errHelped says that help was asked for and given.
var errHelped = errors.New("help was given")

// errReported says that another process of the demo failed, and has said why.
var errReported = errors.New("a process of the demo failed")

// A usageError says how the command line was wrong.
type usageError struct{ what, command string }

func (e *usageError) Error() string { return e.what }

func wrongUsage(what, command string) error { return &usageError{what, command} }

// report prints an error, if there is one, and gives the exit status. Of several errors, each has its line.
func (c *call) report(err error) int {
	if err == nil || err == errHelped {
		return done
	}
	if errors.Is(err, errReported) {
		return failed
	}
	if usage, ok := errors.AsType[*usageError](err); ok {
		help := "pinion help"
		if usage.command != "" {
			help += " " + usage.command
		}
		fmt.Fprintf(c.errOut, "pinion: %s; %s tells how\n", usage.what, help)
		return misused
	}
	status := failed
	all := []error{err}
	if many, ok := errors.AsType[*multierror.Error](err); ok {
		all = many.Errors
	}
	for _, one := range all {
		fmt.Fprintln(c.errOut, "pinion: "+c.tell(one))
		if protects(one) {
			status = refused
		}
	}
	return status
}

// protects tells whether an error is a refusal for the sake of something that is there.
func protects(err error) bool {
	for _, reason := range []error{
		pinning.ErrConflict, pinning.ErrExist, pinning.ErrDifferent, pinning.ErrForeign, pinning.ErrDrift, pinning.ErrUnattached,
		object.ErrMismatch,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// quote makes text of foreign origin fit for a terminal.
func quote(s string) string { return strconv.Quote(s) }

// words is quote for sentences that need it; "-" stands for nothing.
func words(s string) string {
	if s == "" {
		return "-"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return quote(s)
	}
	return s
}

// plain is quote for what needs it; "-" stands for nothing.
func plain(s string) string {
	if s == "" {
		return "-"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || !strconv.IsPrint(r) }) {
		return quote(s)
	}
	return s
}
