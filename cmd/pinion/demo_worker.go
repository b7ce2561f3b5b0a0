package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/testdata"
)

// workInfo is what a worker process of the demo tells the one that started it.
type workInfo struct {
	PID    int
	Loaded bool // by this process, not found pinned
	Pins   []pinInfo
	In     uint64 // packets counted
	Out    uint64
	Sent   uint64       // packets, by this process
	Did    *upgradeInfo // by an upgrade or a rollback of this process
}

// work runs a worker process to its end.
func (s *story) work(worker string) (did workInfo, err error) {
	cmd := exec.Command("/proc/self/exe", "demo-worker", "-root", s.bpffs, worker, s.cgroup)
	cmd.Stderr = s.call.errOut
	said, err := cmd.Output()
	if err != nil {
		return did, ended(err)
	}
	return did, json.Unmarshal(said, &did)
}

// demoWorker is a process of the demo: the one that tells the story, or one that does something with the object.
func demoWorker(c *call) error {
	args, err := c.parse(c.flags(), 1, 2)
	if err != nil {
		return err
	}
	if args[0] == "story" {
		return c.tellDemo()
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	var obj *object.Object
	did := workInfo{PID: os.Getpid()}
	switch worker, cgroup := args[0], args[len(args)-1]; worker {
	case "ensure":
		obj, did.Loaded, err = ensureDemo(root, cgroup)
	case "reopen":
		obj, err = root.Open(demoObject)
	case "upgrade":
		obj, err = did.upgrade(root, cgroup)
	case "rollback":
		obj, err = did.rollback(root)
	case "traffic":
		did.Sent, err = sendPackets(cgroup, demoPackets, nil, c.out)
	case "traffic-until-told":
		did.Sent, err = sendPackets(cgroup, 0, os.Stdin, c.out)
	default:
		err = wrongUsage("there is no worker "+quote(worker), "")
	}
	if err != nil {
		return err
	}
	if obj != nil {
		defer obj.Close()
		if err := did.fill(root, obj); err != nil {
			return err
		}
	}
	return json.NewEncoder(c.out).Encode(did)
}

// ensureDemo loads the object and attaches its programs to the cgroup, unless it is pinned, and tells whether it did.
func ensureDemo(root *pinning.Root, cgroup string) (obj *object.Object, loaded bool, err error) {
	spec, err := object.Parse(demoObject, testdata.Counter)
	if err != nil {
		return nil, false, err
	}
	obj, err = root.Ensure(spec, &pinning.Options{Attach: func(obj *object.Object) error {
		loaded = true
		return attachDemo(spec, cgroup)(obj)
	}})
	return obj, loaded, err
}

// attachDemo attaches the programs of the demo's object, of either build, to the cgroup, which their sections do not name.
func attachDemo(spec *object.Spec, cgroup string) func(*object.Object) error {
	return func(obj *object.Object) error {
		dir, err := link.OpenCgroup(cgroup)
		if err != nil {
			return err
		}
		defer dir.Close()
		for _, p := range spec.Programs {
			if _, err := obj.AttachTo(p.Name, "", link.Cgroup{Dir: dir, AttachType: p.AttachType}); err != nil {
				return err
			}
		}
		return nil
	}
}

// upgrade replaces the object with its next build. The variables of .bss are not laid out as they were, so it takes a policy; all else fits.
func (w *workInfo) upgrade(root *pinning.Root, cgroup string) (*object.Object, error) {
	spec, err := object.Parse(demoObject, testdata.CounterV2)
	if err != nil {
		return nil, err
	}
	return root.Upgrade(spec, &pinning.Options{Attach: attachDemo(spec, cgroup), Upgrade: &pinning.UpgradeOptions{
		Maps:    []pinning.MapPolicy{{Name: ".bss", Migrate: pinning.Migrate(nil)}},
		KeepOld: true,
		Did:     func(plan *pinning.UpgradePlan) { w.Did = describeUpgrade(plan, stateUpgraded) },
	}})
}

// rollback goes back to the build before.
func (w *workInfo) rollback(root *pinning.Root) (*object.Object, error) {
	return root.Rollback(demoObject, &pinning.Options{Upgrade: &pinning.UpgradeOptions{
		Did: func(plan *pinning.UpgradePlan) { w.Did = describeUpgrade(plan, stateRolledBack) },
	}})
}

// fill tells what the object is and has counted.
func (w *workInfo) fill(root *pinning.Root, obj *object.Object) error {
	status, err := root.Status(demoObject)
	if err != nil {
		return err
	}
	if status.Drifted() {
		return fmt.Errorf("object %s is not as its record says: see pinion -root %s show %s", demoObject, root.Path(), demoObject)
	}
	for _, p := range status.Pins {
		w.Pins = append(w.Pins, pinInfo{Kind: p.Kind.String(), Name: p.Name, Target: p.Target, ID: p.ID, Path: p.Path})
	}
	packets := obj.Map("packets")
	for key, to := range []*uint64{&w.In, &w.Out} {
		value := make([]byte, packets.ValueSize())
		if err := packets.Lookup(binary.NativeEndian.AppendUint32(nil, uint32(key)), value); err != nil {
			return fmt.Errorf("read map packets: %w", err)
		}
		*to = binary.NativeEndian.Uint64(value)
	}
	return nil
}
