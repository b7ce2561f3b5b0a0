package pinning

import (
	"errors"
	"strings"

	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// ErrConflict is in every [ConflictError].
var ErrConflict = errors.New("pinning: conflict")

// A ConflictError says that two things claim one path, or that one claims a path inside the other's, which cannot be a file and a
// directory at once. errors.Is finds [ErrConflict] in it.
type ConflictError struct {
	Path   string // what both claim; or, where Inside is set, what First claims
	Inside string // what Second claims, where that lies inside Path; else ""
	First  string // one claimant: "map flows", "link ingress@eth0", "the directory of maps of flow"
	Second string // the other one
}

// Error returns one line with both claimants, the paths, and what to do.
func (e *ConflictError) Error() string {
	const do = ": give one of them another path, or do not pin it"
	if e.Inside == "" {
		return text.Form("{}: {} and {} both claim {}{}").
			Add(ErrConflict.Error()).Add(e.First).Add(e.Second).Add(readable(e.Path)).Add(do).String()
	}
	return text.Form("{}: {} claims {}, inside {} of {}{}").
		Add(ErrConflict.Error()).Add(e.Second).Add(readable(e.Inside)).Add(readable(e.Path)).Add(e.First).Add(do).String()
}

// Unwrap returns [ErrConflict].
func (e *ConflictError) Unwrap() error { return ErrConflict }

// A claim is a path below the root and who wants it: a pin, or a directory that others may be in.
type claim struct {
	place string
	of    string
	isPin bool
}

type claims []claim

//go:noinline
func (all *claims) add(place, of string, isPin bool) { *all = append(*all, claim{place, of, isPin}) }

// findConflict returns nil if no two pins, and no pin and directory of the tree, claim one place, and no pin lies inside another. It adds
// the claims of the tree's directories. The root, which may be "", is for the message only.
func findConflict(root, tree string, all claims) error {
	all.add(tree, "the directory of "+tree, false)
	for kind := KindMap; kind <= KindLink; kind++ {
		dir := kind.Dir()
		all.add(tree+"/"+dir, text.Form("the directory of {} of {}").Add(dir).Add(tree).String(), false)
	}
	// In this order, what lies inside a place follows it at once. So if anything clashes with a pin, its neighbour does.
	sorted := order.Indices(len(all), func(a, b int) bool { return comparePlaces(all[a].place, all[b].place) < 0 })
	for k := range sorted[1:] {
		first, second := &all[sorted[k]], &all[sorted[k+1]]
		inside := ""
		switch {
		case first.place == second.place:
		case first.isPin && strings.HasPrefix(second.place, first.place+"/"):
			inside = root + second.place
		default:
			continue
		}
		return &ConflictError{Path: root + first.place, Inside: inside, First: first.of, Second: second.of}
	}
	return nil
}

// comparePlaces orders paths by components: a slash comes before every byte that a name may have.
func comparePlaces(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}
