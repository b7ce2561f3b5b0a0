// Command agent loads the object that it carries, attaches its programs to a cgroup and pins the whole: then it exits, and the programs
// run on. Started again, it finds everything pinned and attached, and loads and attaches nothing. One call does all that. With another
// version of the object in it, it says that the old one is pinned, and leaves that running.
//
//	CGROUP=DIR [ROOT=DIR] agent
//
// CGROUP is a directory below the mount of the cgroup2 file system, ROOT one on a bpffs, by default /sys/fs/bpf. examples/reader prints
// what is counted.
//
// It takes its configuration from the environment and speaks to the kernel by golang.org/x/sys/unix, because package os would make the
// binary 65 KB larger.
package main

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/testdata"
)

func main() {
	cgroup, found := unix.Getenv("CGROUP")
	if !found {
		exit(2, "set CGROUP to the cgroup's directory, and ROOT to one on a bpffs if it is not /sys/fs/bpf")
	}
	root, found := unix.Getenv("ROOT")
	if !found {
		root = "/sys/fs/bpf"
	}
	if err := ensure(cgroup, root); err != nil {
		exit(1, err.Error())
	}
}

// exit says on standard error why the program ends.
func exit(status int, why string) {
	unix.Write(2, []byte("agent: "+why+"\n"))
	unix.Exit(status)
}

// ensure sees to it that the object is loaded, attached and pinned.
func ensure(cgroup, path string) (err error) {
	spec, err := object.Parse("counter", testdata.Counter)
	if err != nil {
		return err
	}
	dir, err := link.OpenCgroup(cgroup)
	if err != nil {
		return err
	}
	defer dir.Close()
	root, err := pinning.OpenRoot(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()

	// Called only if there is something to attach.
	attach := func(counter *object.Object) error {
		for _, program := range spec.Programs {
			how := link.Cgroup{Dir: dir, AttachType: program.AttachType}
			if _, err := counter.AttachTo(program.Name, "", how); err != nil {
				return err
			}
		}
		return nil
	}
	counter, err := root.Ensure(spec, &pinning.Options{Attach: attach, Wait: 10 * time.Second})
	if err != nil {
		return err
	}
	return counter.Close() // the pins keep what it holds
}
