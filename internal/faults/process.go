package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// child is a process of the test binary that does tasks.
type child struct {
	process   int
	tasks     *os.File
	answers   *bufio.Reader
	out       *os.File // what answers reads
	complaint <-chan []byte
}

// startChild starts one. A traced one is stopped when it has the program in it, and belongs to the calling thread.
func startChild(how string, traced bool) (*child, error) {
	var ends [6]*os.File // of three pipes, what is read and what is written
	for i := 0; i < len(ends); i += 2 {
		var err error
		if ends[i], ends[i+1], err = os.Pipe(); err != nil {
			return nil, err
		}
	}
	// The scheduler's signals would interrupt calls, now here, now there, and the collector's threads only cost time.
	env := append(os.Environ(), childVariable+"="+how, "GODEBUG=asyncpreemptoff=1", "GOGC=off", "GOMEMLIMIT=64MiB", "GOCOVERDIR=")
	process, err := syscall.ForkExec("/proc/self/exe", []string{"faults"}, &syscall.ProcAttr{
		Env: env, Files: []uintptr{ends[0].Fd(), ends[3].Fd(), ends[5].Fd()}, Sys: &syscall.SysProcAttr{Ptrace: traced},
	})
	err = errors.Join(err, ends[0].Close(), ends[3].Close(), ends[5].Close())
	c := &child{process: process, tasks: ends[1], out: ends[2], answers: bufio.NewReader(ends[2]), complaint: drain(ends[4])}
	if err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// tell gives a task to the child, which need not be waiting for it yet.
func (c *child) tell(task Task) error {
	text, err := json.Marshal(task)
	if err != nil {
		return err
	}
	_, err = c.tasks.Write(append(text, '\n'))
	return err
}

// answer waits for what the child says of its task.
func (c *child) answer() (a Answer, err error) {
	line, err := c.answers.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		err = fmt.Errorf("it answered %q: %w", line, err)
	}
	return a, err
}

// end lets go of a child that is dead, or ends of it, and gives what it complained of.
func (c *child) end() string {
	c.tasks.Close()
	c.out.Close()
	return string(<-c.complaint)
}

// drain reads all of a pipe, so that nobody has to wait who writes more than it holds.
func drain(pipe *os.File) <-chan []byte {
	all := make(chan []byte, 1)
	go func() {
		var buf bytes.Buffer
		buf.ReadFrom(pipe)
		pipe.Close()
		all <- buf.Bytes()
	}()
	return all
}

// helper does tasks in a child that nobody traces: a process that has had no fault.
type helper struct{ child *child }

func (h *helper) run(task Task) error {
	if err := h.tell(task); err != nil {
		return err
	}
	answer, err := h.child.answer()
	if err != nil {
		_, complaint := h.close()
		return fmt.Errorf("%w\n%s", err, complaint)
	}
	return answer.err()
}

// err is what is wrong with how a task ended without a fault.
func (a *Answer) err() error {
	switch {
	case a.Error != "":
		return errors.New(a.Error)
	case len(a.Left) > 0:
		return fmt.Errorf("it left descriptors open: %q", a.Left)
	}
	return nil
}

// tell gives the child a task, and starts one if there is none.
func (h *helper) tell(task Task) (err error) {
	if h.child == nil {
		if h.child, err = startChild("free", false); err != nil {
			return err
		}
	}
	return h.child.tell(task)
}

// close ends the child, or waits for one that is dead, and gives what it complained of.
func (h *helper) close() (status unix.WaitStatus, complaint string) {
	if h.child == nil {
		return 0, ""
	}
	complaint = h.child.end()
	for {
		if _, err := unix.Wait4(h.child.process, &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	h.child = nil
	return status, complaint
}

// saysSomething tells whether an error names its reason: the errno, or what a package calls it.
func saysSomething(message string, errno unix.Errno) bool {
	return strings.Contains(message, errno.Error()) || strings.Contains(message, "pinning: ") || strings.Contains(message, "object: ") ||
		strings.Contains(message, "link: ")
}
