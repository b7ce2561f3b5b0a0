//go:build linux

package pinning

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// kindDirs are the directories of a tree, in the order in which they are cleared: a link must not outlive the program that it is recorded to run.
var kindDirs = [...]string{"links", "programs", "maps"}

// clearTree removes a tree's directory with every pin and record in it, and nothing else: what is not a tree's makes it ErrForeign, before anything is
// removed. The record goes last.
func clearTree(parent *sys.FD, name string) error {
	dir, err := sys.OpenDirAt(parent, name)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := sys.ReadNames(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if !isKindDir(n) && !isRecordName(n) && n != outsideDir && n != previousTree {
			return because(ErrForeign, name+"/"+n, nil)
		}
	}
	for _, kind := range kindDirs {
		if slices.Contains(names, kind) {
			err = clearPins(dir, kind)
		}
		if err != nil {
			return err
		}
	}
	for _, below := range [...]string{outsideDir, previousTree} {
		if slices.Contains(names, below) {
			if err := clearTree(dir, below); err != nil {
				return err
			}
		}
	}
	for _, n := range names {
		if isRecordName(n) {
			if err := unix.Unlinkat(dir.Int(), n, 0); err != nil {
				return fail("remove", n, err, "")
			}
		}
	}
	return unix.Unlinkat(parent.Int(), name, unix.AT_REMOVEDIR)
}

func clearPins(tree *sys.FD, kindDir string) error {
	dir, err := sys.OpenDirAt(tree, kindDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := sys.ReadNames(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		err := unix.Unlinkat(dir.Int(), n, 0)
		if err == unix.EISDIR {
			return because(ErrForeign, kindDir+"/"+n, err)
		}
		if err != nil {
			return fail("remove", kindDir+"/"+n, err, "")
		}
	}
	return unix.Unlinkat(tree.Int(), kindDir, unix.AT_REMOVEDIR)
}
