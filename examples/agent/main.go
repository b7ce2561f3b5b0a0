// Command agent loads the object that it carries, attaches its programs to a cgroup and pins the whole: then it exits, and the programs
// run on. Started again, it finds everything pinned and attached, and loads and attaches nothing; with another version of the object in
// it, it takes the old one's place. One call does all that.
//
//	agent CGROUP [ROOT]
//
// CGROUP is a directory below the mount of the cgroup2 file system, ROOT one on a bpffs, by default /sys/fs/bpf. examples/reader prints
// what is counted.
package main

import (
	"errors"
	"os"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/testdata"
)

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		os.Stderr.WriteString("usage: agent CGROUP [ROOT]\n")
		os.Exit(2)
	}
	root := "/sys/fs/bpf"
	if len(os.Args) == 3 {
		root = os.Args[2]
	}
	if err := ensure(os.Args[1], root); err != nil {
		os.Stderr.WriteString("agent: " + err.Error() + "\n")
		os.Exit(1)
	}
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
	counter, err := root.Ensure(spec, &pinning.Options{Attach: attach})
	if err != nil {
		return err
	}
	return counter.Close() // the pins keep what it holds
}
