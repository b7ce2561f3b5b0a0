package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// Apply makes the program insns the only device filter of a cgroup. It stays when the process ends. If one program is attached, it is
// replaced in one step; if several are, the new one is attached first. So there never is a moment without a filter.
func Apply(cgroup string, insns []byte) error {
	dir, err := link.OpenCgroup(cgroup)
	if err != nil {
		return err
	}
	defer dir.Close()
	found, err := link.QueryCgroup(dir, sys.AttachTypeCgroupDevice)
	if err != nil {
		return err
	}
	filter, err := load(insns)
	if err != nil {
		return fmt.Errorf("load device filter: %w", err)
	}
	defer filter.Close()

	attr := sys.ProgAttachAttr{TargetFD: dir.Attr(), AttachBPFFD: filter.Attr(), AttachType: sys.AttachTypeCgroupDevice, AttachFlags: unix.BPF_F_ALLOW_MULTI}
	if len(found.Programs) == 1 {
		return withProgram(found.Programs[0].ProgramID, func(old *sys.FD) error {
			attr.AttachFlags |= unix.BPF_F_REPLACE
			attr.ReplaceBPFFD = old.Attr()
			return sys.ProgAttach(&attr)
		})
	}
	if err := sys.ProgAttach(&attr); err != nil {
		return fmt.Errorf("attach device filter: %w", err)
	}
	for _, program := range found.Programs {
		err := withProgram(program.ProgramID, func(old *sys.FD) error {
			return sys.ProgDetach(&sys.ProgAttachAttr{TargetFD: dir.Attr(), AttachBPFFD: old.Attr(), AttachType: sys.AttachTypeCgroupDevice})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// withProgram opens an attached program for what is to be done with it.
func withProgram(id uint32, do func(program *sys.FD) error) error {
	program, err := sys.ProgGetFDByID(&sys.GetFDByIDAttr{StartID: id})
	if err == nil {
		err = do(program)
		program.Close()
	}
	if err != nil {
		return fmt.Errorf("replace device filter, program id %d: %w", id, err)
	}
	return nil
}

func load(insns []byte) (*sys.FD, error) {
	license, err := sys.CString("Apache-2.0")
	if err != nil {
		return nil, err
	}
	return sys.ProgLoad(&sys.ProgLoadAttr{
		ProgType: sys.ProgTypeCgroupDevice,
		ProgName: sys.NewObjName("devicefilter"),
		Insns:    sys.Slice(insns),
		InsnCnt:  uint32(len(insns) / 8),
		License:  license,
	})
}
