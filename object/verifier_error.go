package object

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// ErrVerifier says that the kernel's verifier refused a program: errors.As finds a [*VerifierError] with the reason.
var ErrVerifier = errors.New("object: the verifier refused a program")

// VerifierError is what the kernel's verifier has against a program. It is [ErrVerifier], and the errno.
type VerifierError struct {
	Program string // the C function's name
	Section string
	Log     string // the verifier's log; of one beyond 16 MiB, the end (before Linux 6.4, the beginning)
	Err     error  // the errno: most often EACCES or EINVAL
	// Access is what made the verifier refuse the program, if that is something that the kernel has not: an access (CO-RE), with where it is in the source and why it could not be
	// fitted, or a call of a kernel function that is missing; else "".
	Access string
	// Line is the line of the source that the verifier looked at last, such as: line 12 of "count.c", "return *value;". It is "" if the object does not tell, or if the verifier had not come to the instructions.
	Line string
	// Do is what to do about it, if it is one of the common causes; else "".
	Do string
}

// shownLines is how many lines of a log an error's message ends with.
const shownLines = 12

// Error says first where and why, as the log does at its end, and what to do, then shows the log's last lines.
func (e *VerifierError) Error() string {
	s := text.Form("the verifier refused program {} in section {}").Quote(e.Program).Quote(e.Section).String()
	if e.Line != "" && e.Access == "" { // Access has the line
		s += ", " + e.Line
	}
	s += ": "
	if e.Access != "" {
		s += e.Access + ": "
	} else if reason := logReason(e.Log); reason != "" {
		s += reason + ": "
	}
	s += e.Err.Error()
	if e.Do != "" {
		s += " (" + e.Do + ")"
	}
	s += "; the log ends:"
	return s + lastLines(text.Trim(ownWords(e.Log)))
}

// lastLines returns the last shownLines lines of a log, indented.
func lastLines(log string) string {
	shown := ""
	for n := 0; n < shownLines; n++ {
		end := strings.LastIndexByte(log, '\n')
		shown = "\n\t" + log[end+1:] + shown
		if end < 0 {
			break
		}
		log = log[:end]
	}
	return shown
}

// Unwrap gives ErrVerifier and the errno.
func (e *VerifierError) Unwrap() []error { return []error{ErrVerifier, e.Err} }

// Limits of the buffer for a log, in bytes. Kernels do not take one of 16 MiB or more everywhere (bpf_verifier_log_attr_valid).
const (
	firstLog = 64 << 10
	maxLog   = 16<<20 - 1
)

// withLog makes a system call that writes a log, with a buffer that grows until all of it fits or it is as large as is allowed. The call says how
// large it should have been, if the kernel tells: Linux 6.4.
func withLog(call func(log []byte) (fd *sys.FD, size uint32, err error)) (fd *sys.FD, log string, err error) {
	for size := uint32(firstLog); ; {
		buf := make([]byte, size)
		fd, need, err := call(buf)
		if err == unix.ENOSPC && size < maxLog {
			if need <= size {
				need = 4 * size
			}
			size = min(need, maxLog)
			continue
		}
		return fd, unix.ByteSliceToString(buf), err
	}
}

// ownWords cuts off the explanation, longer than what it explains, that Linux 7.2 and later put after the verifier's own last words.
func ownWords(log string) string {
	own, _, _ := strings.Cut(log, "\nVerification failed: ")
	return own
}

// logReason returns the lines at the end of a log that say why, in one line: those after the last instruction, without statistics.
func logReason(log string) string {
	const most = 3
	log = text.Trim(ownWords(log))
	why := ""
	for n := 0; n < most && log != ""; {
		end := strings.LastIndexByte(log, '\n')
		line := text.Trim(log[end+1:])
		log = log[:max(end, 0)]
		switch {
		case isStatistics(line):
			continue
		case line == "" || isInstruction(line):
			return why
		case n > 0:
			line += ", "
		}
		why = line + why
		n++
	}
	return why
}

// isInstruction reports whether a line of a log shows an instruction ("12: (95) exit"), or the line of source it is from ("; return 0;").
func isInstruction(line string) bool {
	return line[0] == ';' || line[0] >= '0' && line[0] <= '9'
}

// isStatistics reports whether text begins with a line that is one of those that every log ends with.
//
//go:noinline
func isStatistics(text string) bool {
	for _, prefix := range []string{"processed ", "verification time ", "stack depth "} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}
