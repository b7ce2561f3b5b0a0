package object_test

import (
	"errors"
	"fmt"
	"os"
	process "os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// tokenChild is what the test binary is called with to be a process in a user namespace of its own.
const tokenChild = "token-child"

// passFile sends a file over a socket.
func passFile(socket, fd int) error {
	return unix.Sendmsg(socket, []byte{0}, unix.UnixRights(fd), nil, 0)
}

// takeFile receives one.
func takeFile(socket int) (int, error) {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), control, 0)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return -1, fmt.Errorf("%d messages: %w", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}

// loadWithToken is that process: it opens a bpffs, has the one who started it mount it and say what it is for, and loads objects without and with a token of it. It tells what happened.
func loadWithToken(objects []string) error {
	const socket = 3
	fs, err := unix.Fsopen("bpf", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open a bpffs: %w", err)
	}
	if err := passFile(socket, fs); err != nil {
		return err
	}
	mount, err := takeFile(socket)
	if err != nil {
		return err
	}
	token, err := object.CreateToken(fmt.Sprintf("/proc/self/fd/%d", mount))
	if err != nil {
		return err
	}
	defer token.Close()
	if _, err := object.CreateToken("/"); !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("a token of what is no bpffs: %w", err)
	}
	types, err := object.RunningKernel()
	if err != nil {
		return err
	}
	defer types.Close()
	for _, name := range objects {
		s, err := object.Open(path(name))
		if err != nil {
			return err
		}
		if _, err := s.Load(&object.LoadOptions{KernelTypes: types}); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("without a token: %w", err)
		}
		o, err := s.Load(&object.LoadOptions{KernelTypes: types, Token: token})
		if err != nil {
			return err
		}
		fmt.Printf("%s %d %d\n", name, len(o.Maps()), len(o.Programs()))
		if err := o.Close(); err != nil {
			return err
		}
	}
	return nil
}

// TestToken loads objects in a user namespace, which has no rights but what a bpffs is delegated for.
func TestToken(t *testing.T) {
	testenv.Kernel(t, "6.9", "BPF tokens")
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	defer unix.Close(pair[0])
	objects, want := []string{"counter", "map_in_map", "core", "raw_tp", "tracepoint"}, ""
	for _, name := range objects {
		s := open(t, name)
		want += fmt.Sprintf("%s %d %d\n", name, len(s.Maps), len(s.Programs))
	}
	child := process.Command(os.Args[0], append([]string{tokenChild}, objects...)...)
	var out, errOut strings.Builder
	child.Stdout, child.Stderr = &out, &errOut
	child.ExtraFiles = []*os.File{os.NewFile(uintptr(pair[1]), "socket")}
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS, UidMappings: ids, GidMappings: ids}
	check(t, child.Start())
	check(t, child.ExtraFiles[0].Close())
	if err := delegate(pair[0]); err != nil {
		t.Error(err)
	}
	if err := child.Wait(); err != nil || out.String() != want {
		t.Errorf("the process in a user namespace: %v\n%swrote:\n%s", err, errOut.String(), out.String())
	}
	_, err = object.CreateToken(testenv.BPFFS(t))
	if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("a token of a bpffs that is delegated for nothing: %v", err)
	}
}

// delegate mounts the bpffs of a process for everything, and gives it the mount.
func delegate(socket int) error {
	fs, err := takeFile(socket)
	if err != nil {
		return err
	}
	defer unix.Close(fs)
	for _, what := range []string{"delegate_cmds", "delegate_maps", "delegate_progs", "delegate_attachs"} {
		if err := unix.FsconfigSetString(fs, what, "any"); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return fmt.Errorf("create the bpffs: %w", err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("mount it: %w", err)
	}
	defer unix.Close(mount)
	return passFile(socket, mount)
}
