package testvm

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pinion-bpf/pinion/internal/testvm/cpio"
	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/wire"
)

// An image is made of two archives, one after the other, as the kernel takes them: the first is the same for all kernels, the second holds what is one
// kernel's own. Neither is compressed: that takes the guest longer to undo than QEMU to load.

// guestDir places a directory of a module, or of a binary of none, in the guest.
func (b *testBinary) guestDir(dir string) string {
	if below, err := filepath.Rel(b.module, dir); b.module != "" && err == nil && filepath.IsLocal(below) {
		return path.Join("/src", filepath.Base(b.module), filepath.ToSlash(below))
	}
	return path.Join("/src", b.name)
}

// writeCommon writes the archive for all kernels.
func (c *Config) writeCommon(file, guest string, tests []testBinary) error {
	return writeArchive(file, func(w *cpio.Writer) error {
		// Without these, process 1 has no standard output, and Go's runtime does not start.
		w.CharDevice("/dev/console", 5, 1)
		w.CharDevice("/dev/null", 1, 3)
		for _, dir := range []string{"/proc", "/sys", "/tmp", "/run", "/root", "/boot", "/var", "/vmtest"} {
			w.Dir(dir)
		}
		w.File("/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
		w.File("/etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n")
		w.File("/etc/hosts", 0o644, "127.0.0.1 localhost\n::1 localhost\n")
		w.Link("/etc/mtab", "/proc/self/mounts")
		w.Link("/var/run", "/run")
		if err := w.CopyFile("/init", guest); err != nil {
			return err
		}
		for i, t := range tests {
			if err := addProgram(w, testPath(i), t.path); err != nil {
				return err
			}
			if err := addTestdata(w, t); err != nil {
				return err
			}
		}
		for _, asked := range c.Files {
			if err := addAsked(w, asked); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeOwn writes the archive that is one kernel's own.
func (c *Config) writeOwn(file string, k kernels.Kernel, plan wire.Plan) error {
	modules, err := findModules(k.Modules, c.Modules)
	if err != nil {
		return err
	}
	return writeArchive(file, func(w *cpio.Writer) error {
		for _, m := range modules {
			name := path.Join("/vmtest/modules", m.file)
			w.File(name, 0o644, string(m.data))
			plan.Modules = append(plan.Modules, name)
		}
		w.File(wire.PlanPath, 0o644, plan.String())
		if k.Config == "" {
			return nil
		}
		return w.CopyFile("/boot/config", k.Config)
	})
}

func testPath(i int) string { return fmt.Sprintf("/vmtest/tests/%03d.test", i) }

func writeArchive(file string, fill func(*cpio.Writer) error) error {
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	defer to.Close()
	buffer := bufio.NewWriterSize(to, 1<<20)
	w := cpio.NewWriter(buffer)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	return to.Close()
}

// join writes files after one another into a new one.
func join(to string, files ...string) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	for _, file := range files {
		in, err := os.Open(file)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return out.Close()
}

// addProgram adds a file, and if it is a dynamic executable what it needs to start, each where it lies on the host.
func addProgram(w *cpio.Writer, to, from string) error {
	needed, err := libraries(from)
	if err != nil {
		return err
	}
	if err := w.CopyFile(to, from); err != nil {
		return err
	}
	for _, library := range needed {
		if w.Has(library) {
			continue
		}
		if err := w.CopyFile(library, library); err != nil {
			return err
		}
	}
	return nil
}

// addTestdata adds a package's directory, and the folders testdata in it and in those above it, up to the module's.
func addTestdata(w *cpio.Writer, t testBinary) error {
	w.Dir(t.guestDir(t.dir))
	for dir := t.dir; ; dir = filepath.Dir(dir) {
		from, to := filepath.Join(dir, "testdata"), path.Join(t.guestDir(dir), "testdata")
		if info, err := os.Stat(from); err == nil && info.IsDir() && !w.Has(to) {
			if err := w.CopyTree(to, from); err != nil {
				return err
			}
		}
		if t.module == "" || dir == t.module || dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// addAsked adds what the user asked for as host[:guest]: a file, a directory, or the name of a program.
func addAsked(w *cpio.Writer, asked string) error {
	host, guest, renamed := strings.Cut(asked, ":")
	from, err := findFile(host)
	if err != nil {
		return err
	}
	if !renamed {
		guest = from
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return w.CopyTree(guest, from)
	}
	if strings.HasSuffix(guest, "/") {
		guest = path.Join(guest, filepath.Base(from))
	}
	return addProgram(w, guest, from)
}

// plans makes the plan of a kernel twice: for a guest of the image, and for one that sees the host's files.
func (c *Config) plans(k kernels.Kernel, tests []testBinary) (guest, host wire.Plan) {
	guest = wire.Plan{Env: slices.Clone(c.Env), Timeout: c.Timeout, Grace: grace}
	if k.Newest {
		guest.Env = append(guest.Env, "PINION_NEWEST_KERNEL=1")
	}
	host = guest
	var args []string
	if c.Run != "" {
		args = append(args, "-test.run="+c.Run)
	}
	for i, t := range tests {
		p := wire.Package{Name: t.name, Binary: testPath(i), Dir: t.guestDir(t.dir), Args: args, Cover: c.Cover}
		guest.Packages = append(guest.Packages, p)
		p.Binary, p.Dir = t.path, t.dir
		host.Packages = append(host.Packages, p)
	}
	return guest, host
}
