package main

import "fmt"

// upgrade has a process replace the object with its next build, while another one sends packets.
func (s *story) upgrade() error {
	var did workInfo
	sent, err := s.duringTraffic(func() (err error) {
		did, err = s.work("upgrade")
		return err
	})
	if err != nil {
		return err
	}
	counted, err := s.wantCounted(demoPackets + sent)
	if err != nil {
		return err
	}
	hooks, err := s.wantAttached(1)
	if err != nil {
		return err
	}
	saw := append(did.Did.lines(), fmt.Sprintf("%d packets sent meanwhile; %s: none was missed, none was counted twice", sent, counted), hooks)
	s.tell(stepInfo{Title: "upgrade it to another build while packets flow, and keep the old one", PID: did.PID, Saw: saw})
	return nil
}

// rollback has a process go back to the build before.
func (s *story) rollback() error {
	before, err := s.work("reopen")
	if err != nil {
		return err
	}
	did, err := s.work("rollback")
	if err != nil {
		return err
	}
	if err := s.sameIDs(did); err != nil {
		return err
	}
	if _, err := s.work("traffic"); err != nil {
		return err
	}
	counted, err := s.wantCounted(before.In + demoPackets)
	if err != nil {
		return err
	}
	s.tell(stepInfo{
		Title: "go back to the build before, and send packets again", PID: did.PID,
		Saw: append(did.Did.lines(), "the maps, programs and links of step 3, with the same ids: nothing was loaded", counted+": the same counters went on"),
	})
	return nil
}

// wantCounted makes sure of how many packets each way the object has counted.
func (s *story) wantCounted(each uint64) (string, error) {
	did, err := s.work("reopen")
	if err == nil && (did.In != each || did.Out != each) {
		err = fmt.Errorf("the map says %d packets in and %d out, want %d each", did.In, did.Out, each)
	}
	return fmt.Sprintf("packets in: %d, out: %d", did.In, did.Out), err
}

// lines tells what an upgrade did, one thing a line.
func (i *upgradeInfo) lines() []string {
	lines := []string{i.says()}
	for n := range i.Steps {
		s := &i.Steps[n]
		line := s.line()
		if s.Why != "" {
			line += " (" + s.Why + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// line tells what becomes of one thing.
func (s *changeInfo) line() string {
	line := s.Kind + " " + s.label() + ": " + s.Action
	if s.Gap != "" {
		line += ", gap " + s.Gap
	}
	return line
}
