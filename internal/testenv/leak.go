package testenv

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// freeing is how long the kernel may take to free what was just closed: programs and links go on work queues and after RCU grace
// periods (200 ms seen on Linux 5.10).
const freeing = 10 * time.Second

// Main runs a package's tests and gives the exit status. It is 1 also when the tests leave a file descriptor open, or a map, a
// program or a link in the kernel: call it as os.Exit(testenv.Main(m)).
//
// What another process makes meanwhile and keeps for long would be taken for a leak, so the packages that call Main take turns: go test runs
// several at once.
func Main(m *testing.M) int {
	if isFuzzWorker() {
		return m.Run() // its parent has the turn, and looks for leaks
	}
	turn, err := waitForTurn()
	if err != nil {
		fmt.Fprintln(os.Stderr, "leak check:", err)
		return 1
	}
	defer turn.Close()
	before, err := take()
	if err != nil {
		fmt.Fprintln(os.Stderr, "leak check:", err)
		return 1
	}
	status := m.Run()
	leaks, err := waitFor(before)
	if err != nil {
		fmt.Fprintln(os.Stderr, "leak check:", err)
		return 1
	}
	for _, leak := range leaks {
		fmt.Fprintln(os.Stderr, "leak check: left behind:", leak)
		status = 1
	}
	return status
}

// isFuzzWorker tells whether this process was started by another of the same test, which fuzzes.
func isFuzzWorker() bool {
	return slices.Contains(os.Args, "-test.fuzzworker") || slices.Contains(os.Args, "-test.fuzzworker=true")
}

// waitForTurn waits until no other process on the machine is in [Main], and gives what keeps the turn while it is open.
func waitForTurn() (*os.File, error) {
	turn, err := os.OpenFile(filepath.Join(os.TempDir(), "pinion-test.lock"), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(turn.Fd()), unix.LOCK_EX); err != unix.EINTR {
			return turn, err
		}
	}
}

// take gives everything that a test could leave: the process's descriptors and, where it may ask for them, the kernel's BPF ids.
func take() (map[string]bool, error) {
	things := make(map[string]bool)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		target, err := os.Readlink("/proc/self/fd/" + file.Name())
		if err == nil && !runtimeFile(target) {
			things["fd "+file.Name()+" "+target] = true
		}
	}
	if os.Geteuid() != 0 {
		return things, nil
	}
	for kind, next := range map[string]func(*sys.GetIDAttr) error{
		"map": sys.MapGetNextID, "program": sys.ProgGetNextID, "link": sys.LinkGetNextID,
	} {
		var attr sys.GetIDAttr
		for next(&attr) == nil {
			things[fmt.Sprintf("%s id %d", kind, attr.NextID)] = true
			attr = sys.GetIDAttr{StartID: attr.NextID}
		}
	}
	return things, nil
}

// runtimeFile tells the descriptors that Go itself opens when a program first needs them.
func runtimeFile(target string) bool {
	return target == "anon_inode:[eventpoll]" || target == "anon_inode:[eventfd]"
}

// waitFor gives what the tests left: there now, not before, and still there when the kernel had its time to free what nobody holds.
func waitFor(before map[string]bool) ([]string, error) {
	left, err := take()
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(left, func(thing string, _ bool) bool { return before[thing] })
	for deadline := time.Now().Add(freeing); len(left) > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
		now, err := take()
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(left, func(thing string, _ bool) bool { return !now[thing] })
	}
	return slices.Sorted(maps.Keys(left)), nil
}
