package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testvm/wire"
)

// maxOutput is the most that one package may write: a line carries some 170 KB a second, and a test that writes without end shall not hold it.
const maxOutput = 8 << 20

func runAll(frames *wire.Writer, plan wire.Plan) error {
	for _, p := range plan.Packages[min(plan.From, len(plan.Packages)):] {
		if err := runPackage(frames, plan, p); err != nil {
			return err
		}
	}
	return frames.Write(wire.Frame{Kind: wire.Done})
}

// runPackage runs one test binary. An error is one of the line to the host: what happens to the tests goes over it.
func runPackage(frames *wire.Writer, plan wire.Plan, p wire.Package) error {
	if err := frames.Write(wire.Frame{Kind: wire.Begin, Name: p.Name}); err != nil {
		return err
	}
	killed := oomKills()
	begun := time.Now()
	cover, ending := "", wire.Ending{Exit: -1}
	err := error(nil)
	if p.Cover {
		cover, err = os.MkdirTemp("", "cover")
	}
	if err == nil {
		ending, err = runTests(frames, plan, p, cover)
	}
	if err != nil {
		ending.Error = err.Error()
	}
	ending.Took = time.Since(begun)
	ending.OOM = oomKills() - killed
	if cover != "" {
		if err := sendCover(frames, cover); err != nil {
			return err
		}
		if err := os.RemoveAll(cover); err != nil {
			return err
		}
	}
	return sendJSON(frames, wire.End, p.Name, ending)
}

func runTests(frames *wire.Writer, plan wire.Plan, p wire.Package, cover string) (wire.Ending, error) {
	args := append([]string{"-test.v=test2json", "-test.paniconexit0", "-test.timeout=" + plan.Timeout.String()}, p.Args...)
	if cover != "" {
		args = append(args, "-test.gocoverdir="+cover)
	}
	output := &output{frames: frames, name: p.Name, left: maxOutput}
	cmd := exec.Command(p.Binary, args...)
	cmd.Dir = p.Dir
	cmd.Env = append(environment(), plan.Env...)
	if cover != "" {
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+cover) // for the processes that the tests start of themselves
	}
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A process that the tests leave behind with their output open must not keep them from ending.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return wire.Ending{Exit: -1}, err
	}
	// The binary's own timeout comes first, and says which test was running.
	timer := time.AfterFunc(plan.Timeout+plan.Grace, func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	err := cmd.Wait()
	ending := wire.Ending{Exit: cmd.ProcessState.ExitCode(), Killed: !timer.Stop(), Missing: output.missing}
	// What the tests started and left is theirs.
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		ending.Signal = status.Signal().String()
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return ending, errors.Join(err, output.err)
}

// environment is that of the tests, which a plan may add to. It is the same in every machine.
func environment() []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root", "TMPDIR=/tmp", "TERM=dumb", "PINION_VM=1",
	}
}

// output sends what a test binary writes.
type output struct {
	frames  *wire.Writer
	name    string
	left    int
	missing int
	err     error
}

func (o *output) Write(data []byte) (int, error) {
	send := data[:min(len(data), o.left)]
	o.left -= len(send)
	o.missing += len(data) - len(send)
	for len(send) > 0 && o.err == nil {
		n := min(len(send), wire.MaxData)
		o.err = o.frames.Write(wire.Frame{Kind: wire.Out, Name: o.name, Data: send[:n]})
		send = send[n:]
	}
	return len(data), nil // the tests go on, whatever becomes of the line
}

// sendCover sends the files of coverage data that a test binary wrote.
func sendCover(frames *wire.Writer, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "cov*"))
	if err != nil {
		return err
	}
	for _, path := range files {
		var packed bytes.Buffer
		if err := pack(&packed, path); err != nil {
			return err
		}
		for data := packed.Bytes(); len(data) > 0; {
			n := min(len(data), wire.MaxData)
			if err := frames.Write(wire.Frame{Kind: wire.Cover, Name: filepath.Base(path), Data: data[:n]}); err != nil {
				return err
			}
			data = data[n:]
		}
	}
	return nil
}

func pack(to io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	zip := gzip.NewWriter(to)
	if _, err := io.Copy(zip, file); err != nil {
		return err
	}
	return zip.Close()
}

func sendJSON(frames *wire.Writer, kind, name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return frames.Write(wire.Frame{Kind: kind, Name: name, Data: data})
}

// oomKills counts the processes that the kernel has killed because memory was short.
func oomKills() int {
	stat, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(stat)) {
		if value, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				panic(fmt.Sprintf("/proc/vmstat: %q", line))
			}
			return n
		}
	}
	return 0
}
