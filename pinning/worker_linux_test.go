package pinning_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// workerVariable makes the test binary a worker in the place of the tests: a process of its own that carries out orders, a line of JSON each, and answers each with
// a line. Starting one takes longer than most orders.
const workerVariable = "PINION_TEST_WORKER"

// workerWait is how long a worker waits for others that change the same object: longer than any test may take, so that who waits in vain is seen.
const workerWait = 2 * time.Minute

// order is what a worker is to do, a name in jobs, and to what.
type order struct {
	Do     string
	Root   string
	Name   string
	Object string // of testdata/bpf
	Cgroup string // to attach the object's programs to
	Lo     int    // to attach those to that are for an interface
	Times  int
}

// done is what a worker says of an order.
type done struct {
	Error string // "" if it succeeded
	Loads int    // how often it loaded an object
	IDs   map[string]uint32
	Count map[string]uint64 // what it counted
	Says  map[string]string // errors that were to be expected, "" for none
}

// jobs are what workers can do. What goes on in the background ends with "stop", which gives what came of it.
var jobs = map[string]func(*order, *done) error{
	"ensure":   ensureOnce,
	"upgrade":  upgradeOften,
	"fail":     failOften,
	"read":     inBackground(readAlways),
	"send":     inBackground(sendAlways),
	"stop":     stopBackground,
	"socket":   makeSocket,
	"readonly": readOnly,
}

// work is the main function of a worker.
func work() int {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var o order
		err := in.Decode(&o)
		if err == io.EOF {
			return 0
		}
		said := done{Count: make(map[string]uint64), Says: make(map[string]string)}
		if err == nil {
			err = jobs[o.Do](&o, &said)
		}
		if err != nil {
			said.Error = err.Error()
		}
		if err := out.Encode(said); err != nil {
			return 1
		}
	}
}

// background is the one job that a worker may have going on.
var background struct {
	stop chan struct{}
	done chan error
	said *done
}

func inBackground(job func(*order, *done, <-chan struct{}) error) func(*order, *done) error {
	return func(o *order, _ *done) error {
		b := &background
		b.stop, b.done, b.said = make(chan struct{}), make(chan error, 1), &done{Count: make(map[string]uint64)}
		go func() { b.done <- job(o, b.said, b.stop) }()
		return nil
	}
}

func stopBackground(_ *order, said *done) error {
	close(background.stop)
	err := <-background.done
	*said = *background.said
	return err
}

// worker is a worker as the test has it.
type worker struct {
	t       testing.TB
	command *exec.Cmd
	in      io.WriteCloser
	orders  *json.Encoder
	answers *json.Decoder
}

// newWorker starts a worker that ends with the test, in the test's network namespace. nil attributes are the default.
func newWorker(t testing.TB, attr *syscall.SysProcAttr) *worker {
	t.Helper()
	// This path, unlike that of the file, leads there for every user.
	w := &worker{t: t, command: exec.Command("/proc/self/exe")}
	w.command.Env = append(os.Environ(), workerVariable+"=1")
	w.command.SysProcAttr, w.command.Stderr = attr, os.Stderr
	var err error
	w.in, err = w.command.StdinPipe()
	check(t, err)
	out, err := w.command.StdoutPipe()
	check(t, err)
	w.orders, w.answers = json.NewEncoder(w.in), json.NewDecoder(out)
	check(t, w.command.Start())
	t.Cleanup(w.end)
	return w
}

// newWorkers starts several.
func newWorkers(t testing.TB, n int) []*worker {
	t.Helper()
	workers := make([]*worker, n)
	for i := range workers {
		workers[i] = newWorker(t, nil)
	}
	return workers
}

func (w *worker) end() {
	if err := errors.Join(w.in.Close(), w.command.Wait()); err != nil {
		w.t.Errorf("worker: %v", err)
	}
}

// begin gives an order and does not wait.
func (w *worker) begin(o order) {
	w.t.Helper()
	check(w.t, w.orders.Encode(o))
}

// result waits for the answer to an order, which must be that it succeeded.
func (w *worker) result() done {
	w.t.Helper()
	var d done
	check(w.t, w.answers.Decode(&d))
	if d.Error != "" {
		w.t.Fatalf("worker: %s", d.Error)
	}
	return d
}

func (w *worker) do(o order) done {
	w.t.Helper()
	w.begin(o)
	return w.result()
}

// inCgroup makes a process begin in a cgroup.
func inCgroup(t testing.TB, cgroup string) *syscall.SysProcAttr {
	t.Helper()
	dir, err := link.OpenCgroup(cgroup)
	check(t, err)
	t.Cleanup(func() { check(t, dir.Close()) })
	return &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: dir.Int()}
}

// loadCounter is asked for maps when an object is loaded, and so knows how often that is.
type loadCounter struct {
	object string
	loads  int
}

// ExistingMap implements [object.MapSource].
func (c *loadCounter) ExistingMap(m *object.MapSpec) (*object.Map, error) {
	if m.Name == c.object {
		c.loads++
	}
	return nil, nil
}

// options attach an object's programs: those of XDP to lo, all others to the cgroup.
func (o *order) options() *pinning.Options {
	return &pinning.Options{Name: o.Name, Wait: workerWait, Attach: func(obj *object.Object) error {
		dir, err := link.OpenCgroup(o.Cgroup)
		if err != nil {
			return err
		}
		defer dir.Close()
		for _, p := range obj.Spec().Programs {
			target, how := "cgroup", link.Attacher(link.Cgroup{Dir: dir, AttachType: p.AttachType})
			if p.Type == sys.ProgTypeXDP {
				target, how = "lo", link.XDP{Ifindex: o.Lo, Mode: link.XDPGeneric}
			}
			if _, err := obj.AttachTo(p.Name, target, how); err != nil {
				return err
			}
		}
		return nil
	}}
}

// spec reads a build of the order's object.
func (o *order) spec(build string) (*object.Spec, error) {
	return object.Open("../testdata/bpf/" + build + ".bpf.o")
}

// builds gives an object's two builds.
func (o *order) builds() (both [2]*object.Spec, err error) {
	for i, build := range []string{o.Object, o.Object + "_v2"} {
		if both[i], err = o.spec(build); err != nil {
			return both, err
		}
	}
	return both, nil
}

// openWithBuilds opens the root, and gives the object's two builds.
func (o *order) openWithBuilds() (*pinning.Root, [2]*object.Spec, error) {
	builds, err := o.builds()
	if err != nil {
		return nil, builds, err
	}
	root, err := o.open()
	return root, builds, err
}

// makeSocket makes a socket, for programs that count those.
func makeSocket(*order, *done) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return syscall.Close(fd)
}

// newTarget gives a cgroup and an interface that an object is attached to in the test's own namespace, and pins it under a new root.
func newTarget(t testing.TB, object string) (*pinning.Root, order) {
	t.Helper()
	root := newRoot(t)
	return root, order{Root: root.Path(), Name: strings.TrimSuffix(object, "_v2"), Object: object, Cgroup: testenv.Cgroup(t), Lo: testenv.Netns(t)}
}
