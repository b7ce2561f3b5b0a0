// Package kernels finds the Debian kernels that tests run on: it looks for them through the mirror that apt uses, has apt check them against
// the archive's signatures, and keeps them unpacked in a cache, from which they come without the network. None of it needs root.
//
// The cache is $XDG_CACHE_HOME/pinion, else ~/.cache/pinion. It holds an apt state of its own (apt), the kernels by architecture and version
// (kernels), and the programs that the machine lacks (tools). All of it can be removed while nothing runs. These variables change what is found:
//
//	VMTEST_KERNEL=/path/to/bzImage   this kernel and no other
//	VMTEST_REFRESH=1                 look for newer versions of what is in the cache
package kernels

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Kernel is one kernel that can be booted.
type Kernel struct {
	Line    string // "6.12"; "own" for one that the user named
	Release string // as uname -r: "6.12.117+deb13-cloud-amd64"; "" if not known
	Image   string // path of the bzImage; "" if Missing says why there is none
	Modules string // path of the directory lib/modules/<release>, "" if there is none
	Config  string // path of its configuration, "" if there is none
	Newest  bool   // the newest line of the matrix
	Missing error  // why a line that is wanted, but not required, cannot be had
}

// A Finder finds kernels. The zero value is ready.
type Finder struct {
	Refresh bool      // look for newer versions of what is in the cache
	Log     io.Writer // gets a line for each step that takes long; nil for none
}

// Find gives the kernels of the lines that are named ("5.10", "newest", …), or of all the matrix for "all". It is that of a zero [Finder].
func Find(ctx context.Context, lines []string) ([]Kernel, error) { return Finder{}.Find(ctx, lines) }

// Find gives the kernels of the lines that are named, in the order of the matrix for "all" or none. A line that is named need not be in the matrix, and
// what is named is required. A required line that cannot be had is an error, which tells of each such line; one that is only wanted
// comes back with the field Missing. Two lines that are the same kernel come back once, under the name of the first.
func (f Finder) Find(ctx context.Context, lines []string) ([]Kernel, error) {
	if image := os.Getenv("VMTEST_KERNEL"); image != "" {
		k, err := own(image)
		if err != nil {
			return nil, err
		}
		return []Kernel{k}, nil
	}
	f.Refresh = f.Refresh || os.Getenv("VMTEST_REFRESH") != ""
	s, err := f.search()
	if err != nil {
		return nil, err
	}
	defer s.close()
	wanted, err := s.matrix.choose(lines)
	if err != nil {
		return nil, err
	}
	var kernels []Kernel
	var failed []*LineError
	for _, l := range wanted {
		k, err := s.kernel(ctx, l)
		switch {
		case err == nil:
			kernels = join(kernels, k)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case l.required:
			failed = fail(failed, l.name, err)
		default:
			kernels = append(kernels, Kernel{Line: l.name, Missing: &LineError{Line: l.name, Err: err}})
		}
	}
	return kernels, together(failed)
}

// fail adds the failure of a required line, to those that failed for the same reason.
func fail(failed []*LineError, name string, err error) []*LineError {
	for _, other := range failed {
		if other.Err.Error() == err.Error() {
			other.Line += ", " + name
			return failed
		}
	}
	return append(failed, &LineError{Line: name, Required: true, Err: err})
}

// together makes one error of all, nil of none.
func together(failed []*LineError) error {
	var all []error
	for _, err := range failed {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// join adds a kernel, or makes one of two that are the same.
func join(kernels []Kernel, k Kernel) []Kernel {
	i := slices.IndexFunc(kernels, func(other Kernel) bool { return other.Image == k.Image })
	if i < 0 {
		return append(kernels, k)
	}
	kernels[i].Newest = kernels[i].Newest || k.Newest
	return kernels
}

// LineError says why a line of kernels cannot be had.
type LineError struct {
	Line     string // "6.12", or more of them as "6.1, 6.12" that fail for one reason
	Required bool
	Err      error
}

// Error names the line, what was tried, and what to do.
func (e *LineError) Error() string {
	need := "wanted"
	if e.Required {
		need = "required"
	}
	return fmt.Sprintf("kernel line %s (%s): %v; or set VMTEST_KERNEL=/path/to/bzImage to run one of your own", e.Line, need, e.Err)
}

// Unwrap gives the reason.
func (e *LineError) Unwrap() error { return e.Err }

// say tells the user of a step.
func (f Finder) say(format string, args ...any) {
	if f.Log != nil {
		fmt.Fprintf(f.Log, format+"\n", args...)
	}
}
