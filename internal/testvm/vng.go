package testvm

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
)

// vng boots machines with virtme-ng. Their root is the host's, which they cannot change, so tests run from where they were built, and with the
// host's libraries and tools. It is slower than QEMU alone by a minute if there is no KVM.
type vng struct {
	probe sync.Once
	accel string
}

func (*vng) Name() string { return "vng" }

// Boot runs the guest as a script of virtme-ng's: what that writes to standard output are frames, and the kernel's console comes out as standard error.
func (v *vng) Boot(ctx context.Context, m *Machine) (err error) {
	qemu, err := exec.LookPath(qemuProgram)
	if err != nil {
		return fmt.Errorf("%w (Debian's package is qemu-system-x86)", err)
	}
	program, err := kernels.Finder{Log: m.Console}.VirtmeNG(ctx)
	if err != nil {
		return err
	}
	v.probe.Do(func() { v.accel = accelerator(ctx, qemu) })
	dir, err := os.MkdirTemp("", "vmtest-vng") // virtme-ng leaves files when it is killed
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.RemoveAll(dir); err == nil {
			err = removed
		}
	}()
	plan, err := writePlan(m, dir)
	if err != nil {
		return err
	}
	cmd := exec.Command(program.Path, v.args(m, plan)...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), append(program.Env, "TMPDIR="+dir, "HOME="+dir)...) // the user's settings are for the user's machines
	frames, said := &counter{to: m.Frames}, &tail{to: m.Console}
	cmd.Stdout, cmd.Stderr = frames, said
	cmd.WaitDelay = 5 * time.Second // the server of files goes last
	err = runGroup(ctx, cmd, func() {}, func() {})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && frames.written.Load() == 0:
		return fmt.Errorf("virtme-ng: %w%s", err, indent(said.String()))
	}
	return nil // its exit status says the same of a kernel that panics as of itself
}

// writePlan writes the guest's plan, and the modules that it names, which the host unpacks, as old kernels cannot.
func writePlan(m *Machine, dir string) (string, error) {
	plan := m.Plan
	plan.Config = m.Kernel.Config
	modules, err := findModules(m.Kernel.Modules, m.Modules)
	if err != nil {
		return "", err
	}
	for _, module := range modules {
		file := filepath.Join(dir, module.file)
		if err := os.WriteFile(file, module.data, 0o600); err != nil {
			return "", err
		}
		plan.Modules = append(plan.Modules, file)
	}
	file := filepath.Join(dir, "plan.json")
	return file, os.WriteFile(file, []byte(plan.String()), 0o600)
}

// args is the command line. virtme-ng takes KVM wherever its device can be opened. Where it works virtme-ng would also take a smaller machine, which QEMU
// alone does not.
func (v *vng) args(m *Machine, plan string) []string {
	args := []string{
		"--run", m.Kernel.Image, "--name", "vmtest", "--verbose", "--disable-microvm", "--memory", strconv.Itoa(m.MemMiB) + "M", "--cpus", strconv.Itoa(m.CPUs),
		"--append", strings.TrimSpace("loglevel=5 " + m.Append),
	}
	if v.accel != "kvm" {
		args = append(args, "--disable-kvm")
	}
	return append(args, "--", "exec "+quote(m.Guest)+" run "+quote(plan))
}

// quote makes one word of the shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// A counter counts what is written through it.
type counter struct {
	to      io.Writer
	written atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.written.Add(int64(len(p)))
	return c.to.Write(p)
}

// A tail keeps the end of what is written through it.
type tail struct {
	to   io.Writer
	text []byte
}

const tailLength = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailLength):]
	return t.to.Write(p)
}

func (t *tail) String() string { return string(t.text) }
