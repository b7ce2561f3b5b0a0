package faults

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pinion-bpf/pinion/sys"
)

// The states of a tree that are no object's.
const (
	Absent = "absent"
	// Gap is that of a tree which is being swapped in two steps: it is in neither place, and staging holds the old and the new one. The next one to
	// lock it finishes that.
	Gap = "gap"
)

// A judge looks at views of one root.
type judge struct {
	files  map[string]string // name of an object's file by its digest
	others View              // what is not Pinion's, and must stay as it is
}

// newJudge reads the digests of all objects for tests.
func newJudge(objects string) (*judge, error) {
	j := &judge{files: make(map[string]string)}
	names, err := filepath.Glob(objects + "/*.bpf.o")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("objects in %s: %d, %w", objects, len(names), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		j.files[hex.EncodeToString(sum[:])] = strings.TrimSuffix(filepath.Base(name), ".bpf.o")
	}
	return j, nil
}

// state names what is in a tree's place: "counter 1" for the first generation of what was loaded from counter.bpf.o, "pinned 1 maps" where it has
// only auto-pinned maps, "? 1" for what has no file.
func (j *judge) state(v View, tree string) string {
	if _, there := v[tree]; !there {
		stage := "%stage-" + tree
		if v[stage+"/new/%record"].Target != "" && v[stage+"/old/%record"].Target != "" {
			return Gap
		}
		return Absent
	}
	r, err := v.readRecord(tree)
	if err != nil {
		return "half: " + err.Error()
	}
	file := j.files[r.elf]
	if file == "" {
		file = "?"
	}
	state := file + " " + r.generation
	if !r.complete {
		state += " maps"
	}
	return state
}

// judged is what is found out about a view.
type judged struct {
	wrong  []string
	owner  map[string]string // who accounts for each path
	shared map[string]bool   // paths that somebody found there, and reused
	links  map[uint32]bool   // that the trees in place account for
}

// above owns the directories that lead to what somebody owns.
const above = "who owns what is in it"

func (w *judged) say(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// own notes who accounts for a path, and for the directories above it. Two may only do so for a map that they share: whoever came second.
func (w *judged) own(path, who string, shared bool) {
	if other := w.owner[path]; other != "" && other != above && !shared && !w.shared[path] {
		w.say("%s and %s both claim %s", other, who, path)
	}
	w.owner[path], w.shared[path] = who, w.shared[path] || shared
	for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
		if w.owner[dir] == "" {
			w.owner[dir] = above
		}
	}
}

// wrong gives everything in a view that breaks a guarantee. Unless it is settled, somebody died, and staging may hold what the next one clears.
// May are files that may be there although nobody accounts for them.
func (j *judge) wrong(v View, settled bool, may []string) []string {
	w := &judged{owner: make(map[string]string), shared: make(map[string]bool), links: make(map[uint32]bool)}
	for path, e := range j.others {
		w.own(path, "somebody else", false)
		if now, there := v[path]; !there || now != e {
			w.say("%s is not ours, and was %+v; now %+v", path, e, now)
		}
	}
	for _, path := range v.paths("") {
		top, rest, _ := strings.Cut(path, "/")
		_, theirs := j.others[top]
		switch {
		case theirs || rest != "" || !v[path].Mode.IsDir():
		case strings.HasPrefix(path, "%stage"):
			if settled {
				w.say("%s is left", path)
			}
			j.staged(v, w, path)
		case v[path+"/%record"].Target != "":
			j.tree(v, w, path, settled)
		}
	}
	for _, path := range v.paths("") {
		if w.owner[path] == "" && !slices.Contains(may, path) {
			w.say("nobody accounts for %s", path)
		}
	}
	for id := range v.links() {
		if settled && !w.links[id] {
			w.say("no tree in its place accounts for link %d, which is pinned", id)
		}
	}
	return w.wrong
}

// staged takes what staging holds as accounted for: it is cleared by whoever locks it. A record in it tells of what is outside.
func (j *judge) staged(v View, w *judged, stage string) {
	w.own(stage, stage, false)
	for _, path := range v.paths(stage) {
		w.owner[path] = stage
	}
	for _, name := range []string{"new", "old"} {
		r, err := v.readRecord(stage + "/" + name)
		if err != nil {
			continue // it is not written yet
		}
		for i := range r.pins {
			if p := &r.pins[i]; p.place != "" && w.owner[p.place] == "" {
				w.own(p.place, stage, true)
			}
		}
	}
}

// tree wants the tree in its place whole: each pin of its record, and nothing else.
func (j *judge) tree(v View, w *judged, dir string, settled bool) {
	w.own(dir, dir, false)
	r, err := v.readRecord(dir)
	if err != nil {
		w.say("%s: %v", dir, err)
		return
	}
	if r.tree != dir {
		w.say("%s has the record of %s", dir, r.tree)
	}
	programs := make(map[string]uint32)
	for i := range r.pins {
		p := &r.pins[i]
		place := p.path(dir)
		if waits := path.Join(dir, "%outside", p.kind+"s", p.name); p.place != "" && v[waits].Kind != sys.KindUnknown {
			// After the swap of an upgrade, what belongs outside is moved there from the tree. Until then the old pin is in its place.
			w.own(place, dir, true)
			place = waits
			if settled {
				w.say("%s is not in its place yet", waits)
			}
		}
		w.own(place, dir, p.shared)
		e, there := v[place]
		if kind := kindOf(p.kind); !there || e.Kind != kind || e.ID != p.id {
			w.say("%s is %s %d in the record of %s, and %v %d is there", place, p.kind, p.id, dir, e.Kind, e.ID)
		}
		if !p.shared && e.Mode.Perm() != 0o600 {
			w.say("%s has mode %v", place, e.Mode)
		}
		switch p.kind {
		case "program":
			programs[p.name] = p.id
		case "link":
			w.links[p.id] = true
			name, _, _ := strings.Cut(p.name, "@")
			if runs := programs[name]; settled && (!e.Attached || runs != 0 && runs != e.Program) {
				w.say("%s is attached: %t, and runs program %d; want %d", place, e.Attached, e.Program, runs)
			}
		}
	}
	j.inside(v, w, dir, settled)
	v.previous(w, dir)
}

// previous wants what an upgrade has kept whole: the maps and programs of its record.
func (v View) previous(w *judged, dir string) {
	dir += "/%previous"
	if _, there := v[dir]; !there {
		return
	}
	r, err := v.readRecord(dir)
	if err != nil {
		w.say("%s: %v", dir, err)
		return
	}
	for i := range r.pins {
		p := &r.pins[i]
		if e := v[p.path(dir)]; p.kind != "link" && (e.Kind != kindOf(p.kind) || e.ID != p.id) {
			w.say("%s %s is %d in the record of %s, and %v %d is there", p.kind, p.name, p.id, dir, e.Kind, e.ID)
		}
	}
}

// inside wants nothing in a tree but pins, which were claimed, their directories and the record.
func (j *judge) inside(v View, w *judged, dir string, settled bool) {
	for _, at := range v.paths(dir) {
		e, name := v[at], path.Base(at)
		above := path.Dir(at)
		inPrevious := above == dir+"/%previous"
		switch {
		case e.Mode.IsDir() && (slices.Contains([]string{"maps", "programs", "links"}, name) && (above == dir || inPrevious || above == dir+"/%outside") ||
			above == dir && (name == "%previous" || name == "%outside" && !settled)):
			if e.Mode.Perm() != 0o700 {
				w.say("%s has mode %v", at, e.Mode)
			}
			w.owner[at] = dir
		case inPrevious && e.Mode&fs.ModeSymlink != 0, path.Dir(above) == dir+"/%previous" && e.Kind != sys.KindUnknown && e.Kind != sys.KindLink:
			w.owner[at] = dir // what an upgrade has kept; see previous
		case e.Mode&fs.ModeSymlink != 0 && strings.HasPrefix(name, "%record") && path.Dir(at) == dir:
			w.owner[at] = dir
		}
	}
}

func kindOf(word string) sys.Kind {
	switch word {
	case "map":
		return sys.KindMap
	case "program":
		return sys.KindProgram
	case "link":
		return sys.KindLink
	}
	return sys.KindUnknown
}
