package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

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
	switch worker, cgroup := args[0], args[len(args)-1]; worker {
	case "ensure":
		obj, err = ensureDemo(root, cgroup)
	case "reopen":
		obj, err = root.Open(demoObject)
	case "traffic":
		err = sendPackets(cgroup)
	default:
		err = wrongUsage("there is no worker "+quote(worker), "")
	}
	if err != nil {
		return err
	}
	did := workInfo{PID: os.Getpid()}
	if obj != nil {
		defer obj.Close()
		if err := did.fill(root, obj); err != nil {
			return err
		}
	}
	return json.NewEncoder(c.out).Encode(did)
}

// ensureDemo loads the object and attaches its programs to the cgroup, unless it is pinned.
func ensureDemo(root *pinning.Root, cgroup string) (*object.Object, error) {
	spec, err := object.Parse(demoObject, testdata.Counter)
	if err != nil {
		return nil, err
	}
	dir, err := link.OpenCgroup(cgroup)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return root.Ensure(spec, &pinning.Options{Attach: func(obj *object.Object) error {
		for _, p := range spec.Programs {
			if _, err := obj.AttachTo(p.Name, "", link.Cgroup{Dir: dir, AttachType: p.AttachType}); err != nil {
				return err
			}
		}
		return nil
	}})
}

// fill tells what the object is and has counted.
func (w *workInfo) fill(root *pinning.Root, obj *object.Object) error {
	w.Loaded = obj.Spec() != nil
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

// sendPackets joins the cgroup and sends itself packets.
func sendPackets(cgroup string) error {
	if err := os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte("0"), 0); err != nil {
		return err
	}
	receiver, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer receiver.Close()
	sender, err := net.Dial("udp4", receiver.LocalAddr().String())
	if err != nil {
		return err
	}
	defer sender.Close()
	const wait = 10 * time.Second // loopback loses nothing: without an answer by then, there is none
	if err := receiver.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	for range demoPackets {
		if _, err := sender.Write([]byte("pinion")); err != nil {
			return err
		}
		if _, _, err := receiver.ReadFrom(make([]byte, 16)); err != nil {
			return err
		}
	}
	return nil
}
