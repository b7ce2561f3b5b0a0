package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// sendPackets joins the cgroup and sends itself packets: as many as are wanted, or, of 0, until the other end of stop is closed. The first one
// is told with an empty line.
func sendPackets(cgroup string, want uint64, stop *os.File, told io.Writer) (sent uint64, err error) {
	if err := os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte("0"), 0); err != nil {
		return 0, err
	}
	receiver, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer receiver.Close()
	sender, err := net.Dial("udp4", receiver.LocalAddr().String())
	if err != nil {
		return 0, err
	}
	defer sender.Close()
	for stopped := false; !stopped && (want == 0 || sent < want); {
		if err := sendPacket(sender, receiver); err != nil {
			return sent, err
		}
		if sent++; sent == 1 {
			fmt.Fprintln(told)
		}
		if stop != nil {
			if stopped, err = isClosed(stop); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

// isClosed tells whether the other end of a pipe is closed.
func isClosed(pipe *os.File) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(pipe.Fd())}}
	_, err := unix.Poll(fds, 0)
	if err == unix.EINTR {
		err = nil
	}
	return fds[0].Revents&unix.POLLHUP != 0, err
}

func sendPacket(sender net.Conn, receiver net.PacketConn) error {
	const wait = 10 * time.Second // loopback loses nothing: without an answer by then, there is none
	if err := receiver.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	if _, err := sender.Write([]byte("pinion")); err != nil {
		return err
	}
	_, _, err := receiver.ReadFrom(make([]byte, 16))
	return err
}

// duringTraffic runs something while a worker process sends packets, from after the first one until after it is done, and gives how many there were.
func (s *story) duringTraffic(run func() error) (sent uint64, err error) {
	cmd := exec.Command("/proc/self/exe", "demo-worker", "-root", s.bpffs, "traffic-until-told", s.cgroup)
	cmd.Stderr = s.call.errOut
	said, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	stop, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if _, err = said.Read(make([]byte, 1)); err == nil {
		err = run()
	}
	var did workInfo
	err = errors.Join(err, stop.Close(), json.NewDecoder(said).Decode(&did))
	if end := cmd.Wait(); end != nil {
		return 0, ended(end) // and has said why, so what could not be read from it says nothing more
	}
	return did.Sent, err
}
