package testvm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/report"
	"github.com/pinion-bpf/pinion/internal/testvm/wire"
)

// nothing is the ending of a package that the host never heard of.
var nothing wire.Ending

// Config says what to run, and on what.
type Config struct {
	Kernels  []kernels.Kernel
	Backend  Backend
	Packages []string // patterns of the go command, or compiled test binaries; the tests in the current directory if there are none
	Jobs     int      // machines at once; 0 for half as many as there are processors

	Run     string        // as -run of go test
	Timeout time.Duration // that a package's tests may take; 0 for 5 minutes
	MemMiB  int           // of each machine; 0 for 1024
	CPUs    int           // of each machine; 0 for 1
	Append  string        // further parameters of the kernel

	Modules []string // of the kernel to load before the tests
	Files   []string // to put into the guest: host[:guest]
	Env     []string // of the tests: K=V

	Cover         bool
	CoverPackages string // as -coverpkg of go test
	CoverProfile  string // file to write the merged profile to

	Report  func(Event)                      // gets what happens, from any goroutine; may be nil
	Console func(kernel string, line string) // gets what kernels say; may be nil

	boot    time.Duration // that a machine may take until its guest runs
	between time.Duration // that it may take for what is not a package's tests
	names   []string      // of the packages
	temp    string        // directory of all temporary files
}

// grace is the time that a test binary has to end by itself when its tests have used theirs up.
const grace = 10 * time.Second

// An Event is something that happens on a kernel.
type Event struct {
	Kernel  string
	Package string
	Test    string
	Doing   string         // "builds", "boots", "runs", "off"
	Result  *report.Result // of a package that has ended
}

// A run is what a Config has led to.
type run struct {
	config *Config
	tests  []testBinary
	guest  string // path of the guest's program
	common string // path of the archive for all kernels
	matrix *report.Matrix

	lock  sync.Mutex
	first time.Time // when the first test said something
}

// saw takes the time when a machine's first test said something, if one did.
func (r *run) saw(first time.Time) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if !first.IsZero() && (r.first.IsZero() || first.Before(r.first)) {
		r.first = first
	}
}

func (c *Config) index(name string) int { return slices.Index(c.names, name) }

func (c *Config) consoleOf(kernel string) func(string) {
	if c.Console == nil {
		return nil
	}
	return func(line string) { c.Console(kernel, line) }
}

// setDefaults fills in what is not said.
func (c *Config) setDefaults() {
	setIfZero(&c.Jobs, max(1, runtime.NumCPU()/2))
	setIfZero(&c.Timeout, 5*time.Minute)
	setIfZero(&c.MemMiB, 1024)
	setIfZero(&c.CPUs, 1)
	// Without KVM, on a machine that others use too, booting has taken 15 s.
	setIfZero(&c.boot, 3*time.Minute)
	setIfZero(&c.between, time.Minute)
	if c.Report == nil {
		c.Report = func(Event) {}
	}
	if len(c.Packages) == 0 {
		c.Packages = []string{"."}
	}
	c.Cover = c.Cover || c.CoverProfile != ""
}

func setIfZero[T comparable](at *T, value T) {
	var zero T
	if *at == zero {
		*at = value
	}
}

// Run builds the tests once, boots each kernel with them, and gives what came of it. The error has all that failed or was not run, as a
// *multierror.Error of *[report.Failure], [report.Finding] and others. The matrix is nil if no kernel was booted.
func Run(ctx context.Context, config Config) (*report.Matrix, error) {
	c := &config
	c.setDefaults()
	begun := time.Now()
	temp, err := os.MkdirTemp("", "vmtest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	c.temp = temp
	r := &run{config: c, matrix: &report.Matrix{}}
	if err := r.build(ctx); err != nil {
		return nil, err
	}
	r.boots(ctx)
	if !r.first.IsZero() {
		r.phase("until the first test said something", r.first.Sub(begun))
	}
	failures := &multierror.Error{ErrorFormat: format}
	for i := range r.matrix.Columns {
		failures = multierror.Append(failures, r.matrix.Columns[i].Errors()...)
	}
	failures = multierror.Append(failures, r.matrix.Missing()...)
	for _, finding := range r.matrix.Account() {
		failures = multierror.Append(failures, finding)
	}
	if err := r.mergeCover(ctx); err != nil {
		failures = multierror.Append(failures, err)
	}
	r.phase("all", time.Since(begun))
	return r.matrix, failures.ErrorOrNil()
}

// build makes all that the kernels have in common.
func (r *run) build(ctx context.Context) error {
	r.config.Report(Event{Doing: "builds"})
	err := r.atOnce(
		step{"build the tests", func() (err error) { r.tests, err = r.config.buildTests(ctx); return err }},
		step{"build the guest", func() (err error) { r.guest, err = r.config.buildGuest(ctx); return err }},
	)
	if err != nil {
		return err
	}
	for _, t := range r.tests {
		if r.config.index(t.name) >= 0 {
			return fmt.Errorf("two of the test binaries are of package %s", t.name)
		}
		r.config.names = append(r.config.names, t.name)
	}
	r.matrix.Packages = r.config.names
	return r.atOnce(step{"make the image", func() error {
		r.common = filepath.Join(r.config.temp, "common.cpio")
		return r.config.writeCommon(r.common, r.guest, r.tests)
	}})
}

// A step is a part of the work with a name.
type step struct {
	name string
	do   func() error
}

// atOnce takes steps, all at once, and gives their errors.
func (r *run) atOnce(steps ...step) error {
	errs := make([]error, len(steps))
	var group sync.WaitGroup
	for i, s := range steps {
		group.Go(func() {
			begun := time.Now()
			if err := s.do(); err != nil {
				errs[i] = fmt.Errorf("%s: %w", s.name, err)
			}
			r.phase(s.name, time.Since(begun))
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func (r *run) phase(name string, took time.Duration) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.matrix.Phases = append(r.matrix.Phases, report.Phase{Name: name, Took: took})
}

// boots runs every kernel, as many at once as are allowed.
func (r *run) boots(ctx context.Context) {
	r.matrix.Columns = make([]report.Column, len(r.config.Kernels))
	var group sync.WaitGroup
	slots := make(chan struct{}, r.config.Jobs)
	for i, k := range r.config.Kernels {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r.matrix.Columns[i] = r.runKernel(ctx, k)
		})
	}
	group.Wait()
}

// mergeCover makes one profile of the coverage data of all kernels.
func (r *run) mergeCover(ctx context.Context) error {
	if r.config.CoverProfile == "" || ctx.Err() != nil {
		return nil
	}
	dirs, err := filepath.Glob(filepath.Join(r.config.temp, "cover", "*"))
	if err != nil || len(dirs) == 0 {
		return err
	}
	to, err := filepath.Abs(r.config.CoverProfile)
	if err != nil {
		return err
	}
	return r.config.goTool(ctx, io.Discard, "", "tool", "covdata", "textfmt", "-i="+strings.Join(dirs, ","), "-o="+to)
}

// format shows failures together, each with the last that was said, if that tells more.
func format(failures []error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d failures:\n", len(failures))
	for _, err := range failures {
		fmt.Fprintf(&b, "  %v\n", err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
