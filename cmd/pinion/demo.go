package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
	"github.com/pinion-bpf/pinion/testdata"
)

// demoObject is the name of the object that the demo carries, and demoPackets how many packets it sends at a time.
const (
	demoObject  = "counter"
	demoPackets = 5
)

// demo tells the main job as a story, on the object that it carries and a bpffs of its own. The story is told by a process in
// namespaces of its own, so its mounts and its loopback interface are nobody else's and go with it, even if it is killed. What it does with
// the object, further processes do: each exits, so that nothing but the pins can hold anything.
func demo(c *call) error {
	if _, err := c.parse(c.flags(), 0, 0); err != nil {
		return err
	}
	if err := checkDemoPrivileges(); err != nil {
		return err
	}
	story := exec.Command("/proc/self/exe", "demo-worker", fmt.Sprintf("-json=%t", c.json), "story")
	story.Stdout, story.Stderr = c.out, c.errOut
	story.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	return ended(story.Run())
}

// ended is the error of a process of the demo that has run: one that failed has said why itself.
func ended(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return errReported
	}
	return err
}

// A story is a demo that is being told.
type story struct {
	call   *call
	dir    string // a directory of its own
	bpffs  string
	cgroup string
	steps  []stepInfo
}

// stepInfo is one step in the JSON of demo.
type stepInfo struct {
	Step  int       `json:"step"`
	Title string    `json:"title"`
	PID   int       `json:"pid"`
	Saw   []string  `json:"saw"`
	Pins  []pinInfo `json:"pins,omitempty"`
}

// tell shows one step that was done.
func (s *story) tell(step stepInfo) {
	step.Step = len(s.steps) + 1
	if step.PID == 0 {
		step.PID = os.Getpid()
	}
	s.steps = append(s.steps, step)
	if s.call.json {
		return
	}
	fmt.Fprintf(s.call.out, "%d. %s (process %d)\n", step.Step, step.Title, step.PID)
	for _, line := range step.Saw {
		fmt.Fprintln(s.call.out, "     "+line)
	}
	printPins(s.call.out, "     ", step.Pins)
}

func (c *call) tellDemo() (err error) {
	s := &story{call: c}
	defer func() { err = errors.Join(err, s.clean()) }()
	for _, part := range []func() error{s.prepare, s.plan, s.load, s.count, s.reopen, s.ensureAgain, s.upgrade, s.rollback, s.show, s.unpin} {
		if err := part(); err != nil {
			return err
		}
	}
	return c.print(s.steps, func(out io.Writer) {
		fmt.Fprintln(out, "All of it worked as told, and nothing is left.")
	})
}

// prepare makes what the demo needs: a bpffs, a cgroup and a loopback interface.
func (s *story) prepare() error {
	var err error
	if s.dir, err = os.MkdirTemp("", "pinion-demo-"); err != nil {
		return err
	}
	s.bpffs = filepath.Join(s.dir, "bpffs")
	mount := filepath.Join(s.dir, "cgroup")
	for path, kind := range map[string]string{s.bpffs: "bpf", mount: "cgroup2"} {
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
		if err := unix.Mount(kind, path, kind, 0, ""); err != nil {
			return fmt.Errorf("mount a file system of type %s on %s: %w (the kernel needs CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF)", kind, path, err)
		}
	}
	s.cgroup = filepath.Join(mount, filepath.Base(s.dir))
	if err := os.Mkdir(s.cgroup, 0o700); err != nil {
		s.cgroup = ""
		return fmt.Errorf("make a cgroup: %w", err)
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("bring the loopback interface up: %w", err)
	}
	s.tell(stepInfo{Title: "make a bpffs and a cgroup for the demo alone", Saw: []string{"bpffs  " + s.bpffs, "cgroup " + s.cgroup}})
	return nil
}

// clean removes what prepare made. The mounts would go with the process, but the cgroup would stay.
func (s *story) clean() error {
	if s.dir == "" {
		return nil
	}
	var errs []error
	if s.cgroup != "" {
		errs = append(errs, unix.Rmdir(s.cgroup))
	}
	for _, name := range []string{"bpffs", "cgroup"} {
		if err := unix.Unmount(filepath.Join(s.dir, name), unix.MNT_DETACH); err != unix.EINVAL && err != unix.ENOENT { // not mounted
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// plan reads the object and tells where everything will be.
func (s *story) plan() error {
	spec, err := object.Parse(demoObject, testdata.Counter)
	if err != nil {
		return err
	}
	root, err := pinning.OpenRoot(s.bpffs)
	if err != nil {
		return err
	}
	defer root.Close()
	pins, err := root.Plan(spec, nil)
	if err != nil {
		return err
	}
	var holds []string
	for _, m := range spec.Maps {
		holds = append(holds, "map "+m.Name+" ("+m.Type.String()+")")
	}
	for _, p := range spec.Programs {
		holds = append(holds, "program "+p.Name+" ("+p.Section+")")
	}
	s.tell(stepInfo{
		Title: "read the object " + demoObject + ", and plan every path: nothing is loaded yet",
		Saw:   append(holds, "the programs' sections name no cgroup, so the caller attaches them: the links' paths follow then"),
		Pins:  describePins(pins, nil),
	})
	return nil
}

// attached counts the programs that run for the cgroup's packets, in and out.
func (s *story) attached() (in, out int, err error) {
	dir, err := link.OpenCgroup(s.cgroup)
	if err != nil {
		return 0, 0, err
	}
	defer dir.Close()
	ingress, err := link.QueryCgroup(dir, sys.AttachTypeCgroupInetIngress)
	if err != nil {
		return 0, 0, err
	}
	egress, err := link.QueryCgroup(dir, sys.AttachTypeCgroupInetEgress)
	return len(ingress.Programs), len(egress.Programs), err
}

// wantAttached makes sure of how many programs run each way.
func (s *story) wantAttached(each int) (string, error) {
	in, out, err := s.attached()
	if err == nil && (in != each || out != each) {
		err = fmt.Errorf("%d programs run for packets in and %d for packets out, want %d each", in, out, each)
	}
	return fmt.Sprintf("programs attached to the cgroup: %d for packets in, %d for packets out", in, out), err
}

// files lists what is on the demo's bpffs, but for what the kernel itself puts there: names with a dot.
func (s *story) files() ([]string, error) {
	var files []string
	err := filepath.WalkDir(s.bpffs, func(path string, entry os.DirEntry, err error) error {
		if err == nil && path != s.bpffs && !strings.Contains(entry.Name(), ".") {
			name := strings.TrimPrefix(path, s.bpffs)
			if entry.IsDir() {
				name += "/"
			}
			files = append(files, name)
		}
		return err
	})
	slices.Sort(files)
	return files, err
}
