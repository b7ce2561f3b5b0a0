//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// tree is one object's directory, held open: it stays the same directory when it is moved.
type tree struct {
	name    string
	dir     *sys.FD
	record  *Record
	gone    bool     // a pin is gone, though the kernel may have what it was
	staged  bool     // it was found where a swap in two steps has it for a moment
	flags   uint32   // with which pins are opened: BPF_F_RDONLY, or 0
	inside  dirCache // below the tree
	outside dirCache // below the root, for overrides
}

// dirCache keeps the directories below base open that were asked for.
type dirCache struct {
	base *sys.FD
	open []openDir
}

type openDir struct {
	place string
	fd    *sys.FD
}

// find gives a directory that is open, nil if it is not.
func (c *dirCache) find(place string) *sys.FD {
	for i := range c.open {
		if c.open[i].place == place {
			return c.open[i].fd
		}
	}
	return nil
}

func (c *dirCache) dir(place string) (*sys.FD, error) {
	if fd := c.find(place); fd != nil {
		return fd, nil
	}
	fd, err := openDirs(c.base, place)
	if err == nil {
		c.keep(place, fd)
	}
	return fd, err
}

//go:noinline
func (c *dirCache) keep(place string, fd *sys.FD) {
	c.open = append(c.open, openDir{place, fd})
}

func (c *dirCache) close() {
	for i := range c.open {
		c.open[i].fd.Close()
	}
	c.open = nil
}

// openTree opens an object's directory and reads its record. On kernels without RENAME_EXCHANGE there is a moment of a swap in which the tree is
// not in its place: then the one that goes there is opened. Errors wrap ErrNotExist, ErrForeign, ErrRecord or an errno.
func (r *Root) openTree(name string) (*tree, error) {
	for range 2 { // a swap may have ended between the two looks
		t, err := r.openPlaced(name)
		if !errors.Is(err, ErrNotExist) {
			return t, err
		}
		if t, err = r.openSwapped(name); t != nil || err != nil {
			return t, err
		}
	}
	return nil, ErrNotExist
}

// openSwapped opens the tree that is about to be put in its place by the second step of a swap, nil if there is none. What is called new is that only if old is
// there too, and was so after new was opened: else old may be that of an unpin, and new the first pin that comes after it.
func (r *Root) openSwapped(name string) (*tree, error) {
	stage, err := sys.OpenDirAt(r.dir, stagePrefix+name)
	if err != nil {
		return nil, nil // whatever it is, there is no swap
	}
	defer stage.Close()
	dir, err := sys.OpenDirAt(stage, newTree)
	if err != nil {
		return nil, nil
	}
	var st unix.Stat_t
	if unix.Fstatat(stage.Int(), oldTree, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		dir.Close()
		return nil, nil
	}
	t, err := r.treeIn(name, dir)
	if err != nil {
		dir.Close()
		return nil, nil // it is being removed, or has become the tree in its place
	}
	t.staged = true
	return t, nil
}

// openPlaced opens the tree in its place.
func (r *Root) openPlaced(name string) (*tree, error) {
	for {
		dir, err := sys.OpenDirAt(r.dir, name)
		switch err {
		case nil:
		case unix.ENOENT:
			return nil, ErrNotExist
		case unix.ENOTDIR, unix.ELOOP:
			return nil, because(ErrForeign, "it is no directory", nil)
		default:
			return nil, err
		}
		t, err := r.treeIn(name, dir)
		if err == nil {
			return t, nil
		}
		moved := movedDir(r.dir, name, dir)
		dir.Close()
		if !moved {
			return nil, err
		}
	}
}

// treeIn reads the record of the directory dir and takes dir over if it is a tree of that name.
func (r *Root) treeIn(name string, dir *sys.FD) (*tree, error) {
	if err := checkOwner(dir); err != nil {
		return nil, err
	}
	record, err := readRecord(dir)
	if err != nil {
		return nil, err
	}
	if of, err := TreeName(record.Object, record.Instance); err != nil || of != name {
		return nil, because(ErrForeign, "the record in it is that of "+of, nil)
	}
	return &tree{
		name: name, dir: dir, record: record,
		inside: dirCache{base: dir}, outside: dirCache{base: r.dir},
	}, nil
}

// checkOwner makes sure that a directory is ours or root's: a bpffs root is mode 1777, so anybody may make a directory of any name there.
func checkOwner(dir *sys.FD) error {
	var st unix.Stat_t
	if err := unix.Fstat(dir.Int(), &st); err != nil {
		return err
	}
	if st.Uid != 0 && int(st.Uid) != unix.Geteuid() {
		return because(ErrForeign, text.Form("the directory belongs to user {}").Uint(uint64(st.Uid)).String(), nil)
	}
	return nil
}

func readRecord(dir *sys.FD) (*Record, error) {
	first, err := sys.ReadLinkAt(dir, RecordName(0))
	switch err {
	case nil:
	case unix.ENOENT, unix.EINVAL:
		return nil, because(ErrForeign, "the directory has no record", nil)
	default:
		return nil, err
	}
	n, err := RecordParts(first)
	if err != nil {
		return nil, err
	}
	parts := []string{first}
	for i := 1; i < n; i++ {
		part, err := sys.ReadLinkAt(dir, RecordName(i))
		if err != nil {
			return nil, because(ErrRecord, RecordName(i), err)
		}
		parts = append(parts, part)
	}
	return decodeRecord(parts)
}

func (t *tree) close() {
	if t == nil {
		return
	}
	t.inside.close()
	t.outside.close()
	t.dir.Close()
}

// moved tells whether a tree that was opened to be read is not the object any more, so that what is missing in it says nothing.
func (t *tree) moved(r *Root) bool {
	name := t.name
	if t.staged {
		name = stagePrefix + t.name + "/" + newTree
	}
	return movedDir(r.dir, name, t.dir)
}

// pin gives the recorded pin of a thing, nil if there is none.
func (t *tree) pin(of Thing) *RecordedPin {
	if t == nil {
		return nil
	}
	for i := range t.record.Pins {
		if p := &t.record.Pins[i]; p.thing() == of {
			return p
		}
	}
	return nil
}

// pinAt gives the pin that is recorded to be at a place outside the tree, nil if there is none.
func (t *tree) pinAt(place string) *RecordedPin {
	if t == nil {
		return nil
	}
	for i := range t.record.Pins {
		if p := &t.record.Pins[i]; p.Path == place {
			return p
		}
	}
	return nil
}

// at gives the directory that a recorded pin lies in, and its name there.
func (t *tree) at(p *RecordedPin) (*sys.FD, string, error) {
	if p.Path == "" {
		dir, err := t.inside.dir(p.Kind.Dir())
		return dir, escapePair(p.Name, p.Target), err
	}
	place, name := splitPlace(p.Path)
	dir, err := t.outside.dir(place)
	return dir, name, err
}

// get opens a recorded pin and makes sure that it is what the record says. One that waits in the tree to be moved to its place outside is found
// there: it is moved from there to here, once, so this is the order to look in.
func (t *tree) get(p *RecordedPin) (*sys.FD, error) {
	if p.Path != "" {
		fd, err := openIn(t.dir, waiting(p.Kind), escapePair(p.Name, p.Target))
		if err != unix.ENOENT {
			return t.verify(p, fd, err)
		}
	}
	return t.getPlaced(p)
}

// getPlaced is get for a pin in its place alone.
func (t *tree) getPlaced(p *RecordedPin) (*sys.FD, error) {
	dir, name, err := t.at(p)
	var fd *sys.FD
	if err == nil {
		fd, err = sys.GetAt(dir, name, t.flags)
	}
	return t.verify(p, fd, err)
}

// verify compares what is at the place of a pin, or the error of opening it, with the record.
func (t *tree) verify(p *RecordedPin, fd *sys.FD, err error) (*sys.FD, error) {
	switch err {
	case nil:
	case unix.ENOENT:
		return nil, because(ErrDrift, p.called()+" is gone", nil)
	case unix.ELOOP, unix.EISDIR, unix.ENOTDIR:
		return nil, because(ErrForeign, "what is at the place of "+p.called()+" is no pin", nil)
	default:
		return nil, fail("open pin of", p.called(), err, "")
	}
	kind, id, err := sys.KindOf(fd)
	if err == nil && (Kind(kind) != p.Kind || id != p.ID) {
		err = because(ErrDrift, text.Form("{} has id {} in the record, and a {} with id {} is pinned there").
			Add(p.called()).Uint(uint64(p.ID)).Add(kind.String()).Uint(uint64(id)).String(), nil)
	}
	if err != nil {
		fd.Close()
		return nil, err
	}
	return fd, nil
}

// foreign gives the places in the tree, relative to it, that the record does not account for.
func (t *tree) foreign() ([]string, error) {
	own := make(map[string]bool)
	for i := range t.record.Pins {
		if p := &t.record.Pins[i]; p.Path == "" {
			own[p.Kind.Dir()+"/"+escapePair(p.Name, p.Target)] = true
		}
	}
	names, err := sys.ReadNames(t.dir)
	if err != nil {
		return nil, err
	}
	var foreign []string
	for _, name := range names {
		switch {
		case isKindDir(name):
			below, err := t.foreignBelow(name, own)
			if err != nil {
				return nil, err
			}
			foreign = append(foreign, below...)
		case name == outsideDir || name == previousTree:
			below, err := foreignTree(t.dir, name)
			if err != nil {
				return nil, err
			}
			foreign = append(foreign, below...)
		case !isRecordName(name):
			foreign = append(foreign, name)
		}
	}
	sortNames(foreign)
	return foreign, nil
}

// foreignTree gives what in a directory of the tree, that of what waits or that of the generation before, is in neither by its form.
func foreignTree(tree *sys.FD, place string) ([]string, error) {
	dir, err := sys.OpenDirAt(tree, place)
	if err == unix.ENOTDIR || err == unix.ELOOP {
		return []string{place}, nil
	}
	if err != nil {
		return nil, ignore(err, unix.ENOENT)
	}
	defer dir.Close()
	names, err := sys.ReadNames(dir)
	var foreign []string
	for _, name := range names {
		if !isKindDir(name) && !(place == previousTree && isRecordName(name)) {
			foreign = append(foreign, place+"/"+name)
		}
	}
	return foreign, err
}

func sortNames(names []string) {
	order.Sort(len(names),
		func(a, b int) bool { return names[a] < names[b] },
		func(a, b int) { names[a], names[b] = names[b], names[a] })
}

func (t *tree) foreignBelow(kindDir string, own map[string]bool) ([]string, error) {
	dir, err := t.inside.dir(kindDir)
	if err == unix.ENOTDIR || err == unix.ELOOP {
		return []string{kindDir}, nil
	}
	if err != nil {
		return nil, err
	}
	names, err := sys.ReadNames(dir)
	if err != nil {
		return nil, err
	}
	var foreign []string
	for _, name := range names {
		if place := kindDir + "/" + name; !own[place] {
			foreign = append(foreign, place)
		}
	}
	return foreign, nil
}

func isKindDir(name string) bool {
	return name == KindMap.Dir() || name == KindProgram.Dir() || name == KindLink.Dir()
}

func isRecordName(name string) bool {
	digits, ok := text.CutPrefix(name, RecordName(0))
	if !ok || digits == "" {
		return ok
	}
	n, ok := text.Parse(digits, 10, 31)
	return ok && n > 0 && RecordName(int(n)) == name
}
