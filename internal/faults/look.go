package faults

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// An Entry is one file below a root.
type Entry struct {
	Mode     fs.FileMode
	Ino      uint64
	Target   string   // of a symbolic link
	Kind     sys.Kind // of a pin
	ID       uint32   // of a pin
	Program  uint32   // of a link's pin: the id of the program that it runs
	Attached bool     // of a link's pin: to something that still exists
}

// A View is what lies below a root, by path relative to it.
type View map[string]Entry

// Look walks over a root and opens every pin. What the kernel itself puts there is left out. Nothing may change meanwhile.
func Look(root string) (View, error) {
	v := make(View)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root || strings.HasSuffix(path, ".debug") {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := Entry{Mode: info.Mode(), Ino: inode(path)}
		switch {
		case e.Mode&fs.ModeSymlink != 0:
			e.Target, err = os.Readlink(path)
		case e.Mode.IsRegular():
			err = e.open(path)
		}
		v[strings.TrimPrefix(path, root+"/")] = e
		return err
	})
	return v, err
}

func inode(path string) uint64 {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return 0
	}
	return st.Ino
}

// open asks the kernel what a pin is.
func (e *Entry) open(path string) error {
	fd, err := openPin(path)
	if err != nil {
		return err
	}
	defer fd.Close()
	if e.Kind, e.ID, err = sys.KindOf(fd); err != nil || e.Kind != sys.KindLink {
		return err
	}
	s, err := linkStateOf(fd)
	e.Program, e.Attached = s.program, s.attached
	return err
}

func openPin(path string) (*sys.FD, error) {
	name, err := sys.CString(path)
	if err != nil {
		return nil, err
	}
	fd, err := sys.ObjGet(&sys.ObjAttr{Pathname: name})
	if err != nil {
		return nil, fmt.Errorf("open pin %s: %w", path, err)
	}
	return fd, nil
}

// linkState is what the kernel tells about a link.
type linkState struct {
	program  uint32
	attached bool
	cgroup   uint64 // of the kind that is attached to one: its inode
}

// linkStateOf asks. In some kinds' information, what the link is attached to becomes 0.
func linkStateOf(fd *sys.FD) (s linkState, err error) {
	var info struct {
		sys.LinkInfoHead
		To [2]uint32
		_  [40]byte
	}
	if _, err := sys.GetInfo(fd, &info); err != nil {
		return s, err
	}
	s.program, s.attached = info.ProgID, true
	switch info.Type {
	case sys.LinkTypeCgroup:
		s.attached, s.cgroup = info.To != [2]uint32{}, *(*uint64)(unsafe.Pointer(&info.To))
	case sys.LinkTypeNetns, sys.LinkTypeXDP, sys.LinkTypeTCX:
		s.attached = info.To[0] != 0
	}
	return s, nil
}

// paths gives what lies below a directory, in order; all for "".
func (v View) paths(below string) (paths []string) {
	for _, path := range slices.Sorted(maps.Keys(v)) {
		if below == "" || strings.HasPrefix(path, below+"/") {
			paths = append(paths, path)
		}
	}
	return paths
}

// links gives the ids of the links that are pinned anywhere.
func (v View) links() map[uint32]bool {
	ids := make(map[uint32]bool)
	for _, e := range v {
		if e.Kind == sys.KindLink {
			ids[e.ID] = true
		}
	}
	return ids
}

// digests are what nobody wants to read in a record.
var digests = regexp.MustCompile(`\n(elf|spec) [0-9a-f]{64}`)

// String lists all, for messages.
func (v View) String() string {
	var b strings.Builder
	for _, path := range v.paths("") {
		e := v[path]
		switch {
		case e.Kind != sys.KindUnknown:
			fmt.Fprintf(&b, "  %s: %s %d", path, e.Kind, e.ID)
		case e.Target != "":
			fmt.Fprintf(&b, "  %s: %q", path, digests.ReplaceAllString(e.Target, ""))
		default:
			fmt.Fprintf(&b, "  %s/", path)
		}
		if e.Kind == sys.KindLink {
			fmt.Fprintf(&b, ", runs %d, attached %t", e.Program, e.Attached)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// shape is the view with ids counted from 1, so that what two runs left can be compared.
func (v View) shape() string {
	seen := make(map[string]int)
	number := func(kind string, id uint32) int {
		key := fmt.Sprint(kind, " ", id)
		if seen[key] == 0 {
			seen[key] = len(seen) + 1
		}
		return seen[key]
	}
	var b strings.Builder
	for _, path := range v.paths("") {
		e := v[path]
		fmt.Fprintf(&b, "%s %v ", path, e.Mode)
		if e.Kind != sys.KindUnknown {
			fmt.Fprintf(&b, "%v %d %d %t", e.Kind, number(e.Kind.String(), e.ID), number("program", e.Program), e.Attached)
		}
		for _, line := range strings.Split(e.Target, "\n") {
			if p, err := parsePin(line); err == nil {
				line = fmt.Sprint(p.kind, p.name, p.shared, p.place, number(p.kind, p.id))
			} else if strings.HasPrefix(line, "end ") {
				line = "end"
			}
			fmt.Fprintf(&b, "%s\n", line)
		}
	}
	return b.String()
}

// Links gives the ids of all links in the kernel that run a program of one of these names, and that program's id. A link to another cgroup than ours
// is somebody else's, who uses the same object.
func Links(programs []string, ours uint64) (map[uint32]uint32, error) {
	found := make(map[uint32]uint32)
	for next := (sys.GetIDAttr{}); ; next = (sys.GetIDAttr{StartID: next.NextID}) {
		err := sys.LinkGetNextID(&next)
		if err == unix.ENOENT {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		s, name, err := runs(next.NextID)
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EAGAIN) { // these are about to end
			return nil, err
		}
		if err == nil && slices.Contains(programs, name) && (s.cgroup == 0 || s.cgroup == ours) {
			found[next.NextID] = s.program
		}
	}
}

func runs(link uint32) (s linkState, name string, err error) {
	fd, err := sys.LinkGetFDByID(&sys.GetFDByIDAttr{StartID: link})
	if err != nil {
		return s, "", err
	}
	defer fd.Close()
	if s, err = linkStateOf(fd); err != nil || s.program == 0 {
		return s, "", err
	}
	of, err := sys.ProgGetFDByID(&sys.GetFDByIDAttr{StartID: s.program})
	if err != nil {
		return s, "", err
	}
	defer of.Close()
	var info sys.ProgInfo
	_, err = sys.GetInfo(of, &info)
	return s, info.Name.String(), err
}

// freeing is how long the kernel may take to free what nobody holds any more.
const freeing = 20 * time.Second

// until asks again and again whether something has come true, with pauses that grow, for as long as the kernel may take.
func until(is func() (bool, error)) (bool, error) {
	for start, pause := time.Now(), 50*time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		ok, err := is()
		if ok || err != nil || time.Since(start) > freeing {
			return ok, err
		}
		time.Sleep(pause)
	}
}

// alive tells which maps, programs or links are in the kernel.
func alive(kind sys.Kind) (map[uint32]bool, error) {
	next := map[sys.Kind]func(*sys.GetIDAttr) error{
		sys.KindMap: sys.MapGetNextID, sys.KindProgram: sys.ProgGetNextID, sys.KindLink: sys.LinkGetNextID,
	}[kind]
	ids := make(map[uint32]bool)
	for attr := (sys.GetIDAttr{}); ; attr = (sys.GetIDAttr{StartID: attr.NextID}) {
		err := next(&attr)
		if err == unix.ENOENT {
			return ids, nil
		}
		if err != nil {
			return nil, err
		}
		ids[attr.NextID] = true
	}
}
