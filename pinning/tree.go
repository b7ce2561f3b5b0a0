//go:build linux

package pinning

import (
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

// openTree opens an object's directory and reads its record. Errors wrap ErrNotExist, ErrForeign, ErrRecord or an errno.
func (r *Root) openTree(name string) (*tree, error) {
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
		moved := !sameDir(r.dir, name, dir)
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

// get opens a recorded pin and makes sure that it is what the record says.
func (t *tree) get(p *RecordedPin) (*sys.FD, error) {
	dir, name, err := t.at(p)
	var fd *sys.FD
	if err == nil {
		fd, err = sys.GetAt(dir, name, 0)
	}
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
		case !isRecordName(name):
			foreign = append(foreign, name)
		}
	}
	sortNames(foreign)
	return foreign, nil
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
