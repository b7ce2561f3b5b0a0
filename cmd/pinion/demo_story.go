package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pinion-bpf/pinion/pinning"
)

// load has a process load, attach and pin the object, and exit.
func (s *story) load() error {
	did, err := s.work("ensure")
	if err != nil {
		return err
	}
	if !did.Loaded {
		return fmt.Errorf("the object was there before it was loaded")
	}
	hooks, err := s.wantAttached(1)
	if err != nil {
		return err
	}
	s.tell(stepInfo{
		Title: "load it, attach it to the cgroup, pin all of it in one step; the process has exited since", PID: did.PID, Pins: did.Pins,
		Saw: []string{hooks, "no process holds a map, program or link of it any more: only the pins do"},
	})
	return nil
}

// count sends packets while nothing but the pins holds the object.
func (s *story) count() error {
	did, err := s.work("traffic")
	if err != nil {
		return err
	}
	s.tell(stepInfo{
		Title: "send packets over loopback from inside the cgroup", PID: did.PID,
		Saw: []string{fmt.Sprintf("%d UDP packets sent and received: each is one packet out and one in", demoPackets)},
	})
	return nil
}

// reopen has a new process open the object from its pins and read the counters.
func (s *story) reopen() error {
	did, err := s.work("reopen")
	if err != nil {
		return err
	}
	if did.In != demoPackets || did.Out != demoPackets {
		return fmt.Errorf("the map says %d packets in and %d out, want %d each", did.In, did.Out, demoPackets)
	}
	if err := s.sameIDs(did); err != nil {
		return err
	}
	s.tell(stepInfo{
		Title: "open the whole object from its pins in a new process, and read the map", PID: did.PID,
		Saw: []string{
			fmt.Sprintf("packets in: %d, out: %d: the programs went on counting while no process held them", did.In, did.Out),
			"the same ids as before: nothing was loaded or attached a second time",
		},
	})
	return nil
}

// ensureAgain starts the loading process again, as after an agent's restart.
func (s *story) ensureAgain() error {
	did, err := s.work("ensure")
	if err != nil {
		return err
	}
	if did.Loaded {
		return fmt.Errorf("the object was loaded a second time")
	}
	if err := s.sameIDs(did); err != nil {
		return err
	}
	hooks, err := s.wantAttached(1)
	if err != nil {
		return err
	}
	s.tell(stepInfo{
		Title: "run the loading process again, as when an agent restarts", PID: did.PID,
		Saw: []string{"everything was found pinned, with the same ids; nothing was loaded", hooks},
	})
	return nil
}

// sameIDs makes sure that a worker saw the things that the first one made.
func (s *story) sameIDs(did workInfo) error {
	made := s.steps[2].Pins
	if len(did.Pins) != len(made) {
		return fmt.Errorf("%d things are pinned, %d were made", len(did.Pins), len(made))
	}
	for i, p := range did.Pins {
		if p != made[i] {
			return fmt.Errorf("%s %s is id %d, and was made as %s %s with id %d", p.Kind, p.label(), p.ID, made[i].Kind, made[i].label(), made[i].ID)
		}
	}
	return nil
}

// show lists the tree.
func (s *story) show() error {
	files, err := s.files()
	if err != nil {
		return err
	}
	record, err := os.Readlink(filepath.Join(s.bpffs, demoObject, pinning.RecordName(0)))
	if err != nil {
		return err
	}
	s.tell(stepInfo{
		Title: "look at the bpffs: a directory for the object, in it one for each kind of thing, and the record, a symbolic link that reads:",
		Saw:   append(files, strings.Split(record, "\n")...),
	})
	return nil
}

// unpin removes the object and makes sure that nothing is left.
func (s *story) unpin() error {
	root, err := pinning.OpenRoot(s.bpffs)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Unpin(demoObject, nil); err != nil {
		return err
	}
	hooks, err := s.wantAttached(0)
	if err != nil {
		return err
	}
	files, err := s.files()
	if err == nil && len(files) > 0 {
		err = fmt.Errorf("left on the bpffs: %q", files)
	}
	if err != nil {
		return err
	}
	s.tell(stepInfo{Title: "unpin it", Saw: []string{hooks, fmt.Sprintf("files on the bpffs: %d", len(files))}})
	return nil
}
