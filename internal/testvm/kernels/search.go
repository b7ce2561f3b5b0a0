package kernels

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pinion-bpf/pinion/tools"
)

// A search is one call of Find: what it knows of the cache and of the archive.
type search struct {
	Finder
	matrix  *matrix
	arch    string // as Debian names it
	cache   *cache
	apt     apt
	updated bool  // the lists were fetched, or tried to be, in this call
	ready   bool  // all is read
	all     []pkg // the packages that hold kernels or tools
	broken  error // why no packages can be had at all
}

func (f Finder) search() (*search, error) {
	m, err := parseMatrix(tools.Kernels)
	if err != nil {
		return nil, err
	}
	switch runtime.GOARCH {
	case "amd64", "arm64": // Debian has the same names
	default:
		return nil, fmt.Errorf("there are no kernels for %s in the matrix: set VMTEST_KERNEL=/path/to/bzImage", runtime.GOARCH)
	}
	c, err := openCache()
	if err != nil {
		return nil, err
	}
	return &search{Finder: f, matrix: m, arch: runtime.GOARCH, cache: c, apt: apt{dir: c.path("apt"), arch: runtime.GOARCH}}, nil
}

func (s *search) close() { s.cache.close() }

// kernel gives the kernel of a line, from the cache if it is there.
func (s *search) kernel(ctx context.Context, l line) (Kernel, error) {
	if !s.Refresh {
		if k, ok := s.cached(l.name); ok {
			return k, nil
		}
	}
	if err := s.cache.acquire(ctx, func() { s.say("kernels: waiting for another run that fetches kernels") }); err != nil {
		return Kernel{}, err
	}
	if !s.Refresh {
		if k, ok := s.cached(l.name); ok { // the one that was waited for has fetched it
			return k, nil
		}
	}
	if err := s.read(ctx, s.Refresh); err != nil {
		return Kernel{}, err
	}
	tree, err := s.fetch(ctx, l.name)
	if err != nil && !s.updated && ctx.Err() == nil && s.apt.age() > recent { // versions come and go
		if err := s.read(ctx, true); err != nil {
			return Kernel{}, err
		}
		tree, err = s.fetch(ctx, l.name)
	}
	if err != nil {
		return Kernel{}, err
	}
	if err := s.cache.note(s.record(l.name), tree+"\n"); err != nil {
		return Kernel{}, err
	}
	k, ok := s.cached(l.name)
	if !ok {
		return Kernel{}, fmt.Errorf("%s is not whole: it has no image", s.kernelPath(tree))
	}
	return k, nil
}

// How old the package lists may be when a kernel is looked for that is not in the cache, and when it is not found in them either.
const (
	fresh  = 24 * time.Hour
	recent = 10 * time.Minute
)

// read reads the package lists, and fetches them before if they are old or a new copy is asked for. If that fails it fails again at once.
func (s *search) read(ctx context.Context, refetch bool) error {
	if s.broken == nil && (!s.ready || refetch && !s.updated) {
		s.broken = s.readAgain(ctx, refetch)
	}
	return s.broken
}

func (s *search) readAgain(ctx context.Context, refetch bool) error {
	if err := s.apt.configure(ctx, s.matrix.suites); err != nil {
		return err
	}
	if !s.updated && (refetch || s.apt.age() > fresh) {
		s.say("kernels: fetching the package lists of %s", strings.Join(s.matrix.suites, ", "))
		s.updated = true
		if err := s.apt.update(ctx); err != nil {
			return err
		}
	}
	all, err := s.apt.packages(ctx, func(name string) bool { return isKernelPackage(name) || isToolPackage(name) })
	s.all, s.ready = all, err == nil
	return err
}

// attempts is how many versions of a line are tried. Each is a kernel whose files the archive says to have and has not.
const attempts = 8

// fetch brings the newest kernel of a line that downloads into the cache, and gives the name of its tree.
func (s *search) fetch(ctx context.Context, name string) (string, error) {
	var tried []error
	for _, c := range candidates(s.all, s.arch) {
		if name != newest && lineOf(c.release) != name {
			continue
		}
		tree, err := s.fetchOne(ctx, c)
		if err == nil {
			return tree, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		tried = append(tried, fmt.Errorf("%s (%s): %w", c.release, c.version, err))
		s.say("kernels: %v", tried[len(tried)-1])
		if len(tried) == attempts {
			break
		}
	}
	return "", s.explain(tried)
}

// explain says why there is no kernel, from what was tried.
func (s *search) explain(tried []error) error {
	var text strings.Builder
	if len(tried) == 0 {
		fmt.Fprintf(&text, "none of %s has it", strings.Join(s.matrix.suites, ", "))
	} else {
		fmt.Fprintf(&text, "the %d that were tried could not be had: %v", len(tried), errors.Join(tried...))
	}
	if s.apt.said != "" {
		fmt.Fprintf(&text, "; the package lists are not complete: %s", s.apt.said)
	}
	text.WriteString("; check the network, and try again with VMTEST_REFRESH=1")
	return errors.New(strings.ReplaceAll(text.String(), "\n", "; "))
}

// fetchOne brings a kernel into the cache, unless it is there. Its error is that of the set that is preferred.
func (s *search) fetchOne(ctx context.Context, c candidate) (tree string, err error) {
	tree = c.release + "_" + c.version
	if existing(s.kernelPath(tree)) != "" {
		return tree, nil
	}
	for _, set := range c.sets {
		failed := s.cache.build(s.kernelPath(tree), func(dir string) error { return s.unpackKernel(ctx, set, c.release, dir) })
		if failed == nil {
			return tree, nil
		}
		if err == nil {
			err = failed
		}
	}
	return "", err
}

func (s *search) kernelPath(elem ...string) string {
	return s.cache.path(append([]string{"kernels", s.arch}, elem...)...)
}

// record is the file that names the tree of a line.
func (s *search) record(name string) string { return s.kernelPath("lines", name) }

// cached gives the kernel that the cache has for a line.
func (s *search) cached(name string) (Kernel, bool) {
	tree := s.recorded(name)
	if tree == "" {
		return Kernel{}, false
	}
	release, _, _ := strings.Cut(tree, "_")
	k := kernelIn(s.kernelPath(tree), release)
	k.Line = lineOf(release)
	k.Newest = tree == s.recorded(newest)
	return k, k.Image != ""
}

// recorded gives the name of the tree of a line, "" if there is none.
func (s *search) recorded(name string) string {
	text, err := os.ReadFile(s.record(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// kernelIn gives what there is of a kernel below a directory with boot and lib/modules.
func kernelIn(root, release string) Kernel {
	return Kernel{
		Release: release,
		Image:   existing(filepath.Join(root, "boot", "vmlinuz-"+release)),
		Config:  existing(filepath.Join(root, "boot", "config-"+release)),
		Modules: existing(filepath.Join(root, "lib", "modules", release)),
	}
}

// existing gives the path back if it exists, else "".
func existing(path string) string {
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}
