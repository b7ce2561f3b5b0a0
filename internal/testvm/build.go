package testvm

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// A testBinary is a compiled package of tests.
type testBinary struct {
	name   string // as shown
	path   string
	dir    string // of the package
	module string // directory of its module on the host, "" if not known
}

// listed is what the go command says of a package.
type listed struct {
	ImportPath, Dir           string
	TestGoFiles, XTestGoFiles []string
	Module                    *struct{ Path, Dir string }
}

// goTool is how the go command is run: for the machine of the kernels, and static unless the user wants cgo.
func (c *Config) goTool(ctx context.Context, to io.Writer, dir string, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOTMPDIR="+c.temp)
	if os.Getenv("CGO_ENABLED") == "" {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = to, &said
	err := runGroup(ctx, cmd, func() {}, func() {})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("go %s: %w%s", args[0], err, indent(said.String()))
	}
	return nil
}

// buildGuest builds the guest's program from the source beside this one.
func (c *Config) buildGuest(ctx context.Context) (string, error) {
	_, here, _, ok := runtime.Caller(0)
	dir := filepath.Dir(here)
	if _, err := os.Stat(filepath.Join(dir, "guest")); !ok || err != nil {
		return "", fmt.Errorf("the guest's source is not in %s: build vmtest where it stays, and without -trimpath", dir)
	}
	binary := filepath.Join(c.temp, "guest")
	return binary, c.goTool(ctx, io.Discard, dir, "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", binary, "./guest")
}

// buildTests compiles the packages that are named, and takes those of the arguments that are compiled tests.
func (c *Config) buildTests(ctx context.Context) ([]testBinary, error) {
	var binaries []testBinary
	var patterns []string
	for _, arg := range c.Packages {
		if info, err := os.Stat(arg); err != nil || info.IsDir() {
			patterns = append(patterns, arg)
			continue
		}
		binary, err := compiled(arg)
		if err != nil {
			return nil, err
		}
		binaries = append(binaries, binary)
	}
	if len(patterns) > 0 {
		packages, err := c.list(ctx, patterns)
		if err != nil {
			return nil, err
		}
		for _, group := range differentNames(packages) {
			built, err := c.compile(ctx, group)
			if err != nil {
				return nil, err
			}
			binaries = append(binaries, built...)
		}
	}
	if len(binaries) == 0 {
		return nil, errors.New("none of the packages has tests")
	}
	return binaries, nil
}

// list asks the go command for the packages that have tests.
func (c *Config) list(ctx context.Context, patterns []string) (packages []listed, err error) {
	var out bytes.Buffer
	args := append([]string{"list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles,Module", "--"}, patterns...)
	if err := c.goTool(ctx, &out, "", args...); err != nil {
		return nil, err
	}
	for decoder := json.NewDecoder(&out); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		if len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			packages = append(packages, p)
		}
	}
}

// differentNames cuts the list into groups in which no two packages have the same last name: the go command names binaries after it.
func differentNames(packages []listed) (groups [][]listed) {
	var seen []map[string]bool
	for _, p := range packages {
		base, at := path.Base(p.ImportPath), 0
		for at < len(groups) && seen[at][base] {
			at++
		}
		if at == len(groups) {
			groups, seen = append(groups, nil), append(seen, make(map[string]bool))
		}
		groups[at], seen[at][base] = append(groups[at], p), true
	}
	return groups
}

// compile builds the tests of packages, none named as another. Symbols stay, since tests look for their own; what only debuggers read goes.
func (c *Config) compile(ctx context.Context, packages []listed) (binaries []testBinary, err error) {
	to, err := os.MkdirTemp(c.temp, "tests")
	if err != nil {
		return nil, err
	}
	args := []string{"test", "-c", "-vet=off", "-buildvcs=false", "-ldflags=-w", "-o", to + "/"}
	if c.Cover {
		args = append(args, "-cover")
	}
	if c.CoverPackages != "" {
		args = append(args, "-coverpkg="+c.CoverPackages)
	}
	for _, p := range packages {
		args = append(args, p.ImportPath)
	}
	if err := c.goTool(ctx, io.Discard, "", args...); err != nil {
		return nil, err
	}
	for _, p := range packages {
		b := testBinary{name: p.ImportPath, path: filepath.Join(to, path.Base(p.ImportPath)+".test"), dir: p.Dir}
		if p.Module != nil {
			b.module = p.Module.Dir
			b.name = strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")
		}
		binaries = append(binaries, b)
	}
	return binaries, nil
}

// compiled describes a binary that the user compiled. Its package's directory is taken to be where it lies.
func compiled(file string) (testBinary, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return testBinary{}, fmt.Errorf("%s is no Go program: %w", file, err)
	}
	file, err = filepath.Abs(file)
	if err != nil {
		return testBinary{}, err
	}
	name := strings.TrimSuffix(info.Path, ".test")
	if info.Main.Path != "" {
		name = strings.TrimPrefix(name, info.Main.Path+"/")
	}
	b := testBinary{name: name, path: file, dir: filepath.Dir(file)}
	for dir := b.dir; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			b.module = dir
			break
		}
	}
	return b, nil
}
