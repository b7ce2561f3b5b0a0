package testvm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pinion-bpf/pinion/internal/testvm/report"
	"github.com/pinion-bpf/pinion/internal/testvm/wire"
)

// qemu boots machines in QEMU, with no more than a kernel, an initramfs and two serial lines: the console, and the frames.
type qemu struct {
	probe sync.Once
	accel string
}

const qemuProgram = "qemu-system-x86_64"

func (*qemu) Name() string { return "qemu" }

func (q *qemu) Boot(ctx context.Context, m *Machine) error {
	program, err := exec.LookPath(qemuProgram)
	if err != nil {
		return fmt.Errorf("%w (Debian's package is qemu-system-x86)", err)
	}
	q.probe.Do(func() { q.accel = accelerator(ctx, program) })
	return runWithPipes(ctx, exec.Command(program, q.args(m)...), m.Console, m.Frames)
}

// args is the command line. -no-reboot ends QEMU when the kernel restarts, which panic=-1 makes it do at once when it panics. The level of the console
// lets warnings through: those of the kernel about itself fail a run.
func (q *qemu) args(m *Machine) []string {
	parameters := []string{"console=ttyS0", "loglevel=5", "panic=-1"}
	if m.Plan.From > 0 {
		parameters = append(parameters, wire.FromParameter+strconv.Itoa(m.Plan.From))
	}
	if m.Append != "" {
		parameters = append(parameters, m.Append)
	}
	return []string{
		"-M", "pc", "-accel", q.accel, "-cpu", "max", "-smp", strconv.Itoa(m.CPUs), "-m", strconv.Itoa(m.MemMiB),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", m.Kernel.Image, "-initrd", m.Initramfs, "-append", strings.Join(parameters, " "),
		"-chardev", "file,id=console,path=/dev/fd/3", "-serial", "chardev:console",
		"-chardev", "file,id=frames,path=/dev/fd/4", "-serial", "chardev:frames",
	}
}

// runWithPipes runs a program whose descriptors from 3 on are pipes, and copies what comes out of them.
func runWithPipes(ctx context.Context, cmd *exec.Cmd, to ...io.Writer) error {
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	var copying sync.WaitGroup
	var readers []*os.File
	defer func() {
		for _, file := range append(cmd.ExtraFiles, readers...) {
			file.Close()
		}
	}()
	for range to {
		read, write, err := os.Pipe()
		if err != nil {
			return err
		}
		readers, cmd.ExtraFiles = append(readers, read), append(cmd.ExtraFiles, write)
	}
	err := runGroup(ctx, cmd, func() {
		for i, read := range readers {
			cmd.ExtraFiles[i].Close()
			copying.Go(func() {
				// A read fails only when the pipe is closed, and a writer of ours never does.
				_, _ = io.Copy(to[i], read)
			})
		}
	}, copying.Wait)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w%s", filepath.Base(cmd.Path), err, indent(said.String()))
	}
	return ctx.Err()
}

func indent(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return "\n  " + strings.ReplaceAll(report.Tail(text, 20), "\n", "\n  ")
}

// accelerator gives "kvm" where it works, else "tcg". That /dev/kvm can be opened says little: there are machines where the first
// instruction aborts QEMU. So this runs two instructions, from a ROM, and looks for what they do. VMTEST_ACCEL overrides it.
func accelerator(ctx context.Context, program string) string {
	const tcg = "tcg,thread=multi"
	if forced := os.Getenv("VMTEST_ACCEL"); forced != "" {
		return forced
	}
	if _, err := os.Stat("/dev/kvm"); err != nil {
		return tcg
	}
	if worked, err := tryAccelerator(ctx, program, "kvm"); err != nil || !worked {
		return tcg
	}
	return "kvm"
}

// tryAccelerator tells whether a machine can run at all.
func tryAccelerator(ctx context.Context, program, accel string) (bool, error) {
	const port, answer = 0xf4, 0x10
	const exit = answer<<1 | 1 // as isa-debug-exit makes it
	// A machine begins 16 bytes before the end of its ROM: mov $answer,%al; out %al,$port; hlt
	rom := make([]byte, 64<<10)
	copy(rom[len(rom)-16:], []byte{0xb0, answer, 0xe6, port, 0xf4})
	dir, err := os.MkdirTemp("", "vmtest")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rom")
	if err := os.WriteFile(path, rom, 0o600); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.Command(program, "-M", "pc", "-accel", accel, "-cpu", "max", "-m", "16", "-nodefaults", "-no-user-config", "-display", "none",
		"-bios", path, "-device", fmt.Sprintf("isa-debug-exit,iobase=%#x,iosize=4", port))
	err = runGroup(ctx, cmd, func() {}, func() {})
	exited, ok := errors.AsType[*exec.ExitError](err)
	return ok && exited.ExitCode() == exit, nil
}

// runGroup runs a program in a process group of its own, and kills all of the group when the context ends. The kernel kills the program if this
// process dies: that signal comes when the thread ends that started it, so the thread is kept.
func runGroup(ctx context.Context, cmd *exec.Cmd, started, beforeWait func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := ctx.Err(); err != nil {
		return err
	}
	cmd.SysProcAttr = groupOfItsOwn()
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { killGroup(cmd.Process.Pid) })
	defer stop()
	started()
	beforeWait()
	return cmd.Wait()
}
