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

// A claim is a path below the root and who wants it: a pin or, where pin is nil, a directory that others may be in.
type claim struct {
	place string
	pin   *Pin
	dir   string
}

func (c claim) String() string {
	if c.pin != nil {
		return c.pin.String()
	}
	return c.dir
}

// findConflict returns nil if no two pins, and no pin and directory of the tree, claim one place, and no pin lies inside another. The
// root, which may be "", is for the message only.
func findConflict(root, tree string, pins []Pin) error {
	claims := make([]claim, 0, len(pins)+4)
	for i := range pins {
		claims = append(claims, claim{place: pins[i].Place, pin: &pins[i]})
	}
	claims = append(claims, claim{place: tree, dir: "the directory of " + tree})
	for kind := KindMap; kind <= KindLink; kind++ {
		claims = append(claims, claim{place: tree + "/" + kind.Dir(), dir: text.Form("the directory of {} of {}").
			Add(kind.Dir()).Add(tree).String()})
	}
	// In this order, what lies inside a place follows it at once. So if anything clashes with a pin, its neighbour does.
	order.Sort(claims, func(a, b *claim) bool { return comparePlaces(a.place, b.place) < 0 })
	for i, second := range claims[1:] {
		first := claims[i]
		if first.place == second.place {
			return &ConflictError{Path: root + first.place, First: first.String(), Second: second.String()}
		}
		if first.pin != nil && strings.HasPrefix(second.place, first.place+"/") {
			return &ConflictError{Path: root + first.place, Inside: root + second.place, First: first.String(), Second: second.String()}
		}
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
