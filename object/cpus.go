package object

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
)

// possibleCPUs gives how many values a per-CPU map has: one for every CPU that the kernel could ever run
// (Documentation/ABI/testing/sysfs-devices-system-cpu). The numbers start at 0, so it is one more than the last.
func possibleCPUs() (int, error) {
	fd, err := unix.Open("/sys/devices/system/cpu/possible", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	buf := make([]byte, 256)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return 0, err
	}
	return countCPUs(string(buf[:n]))
}

// countCPUs reads a list like "0-3,8".
func countCPUs(list string) (int, error) {
	list = text.Trim(list)
	last, ok := text.Parse(list[max(strings.LastIndexByte(list, ','), strings.LastIndexByte(list, '-'))+1:], 10, 31)
	if !ok {
		return 0, unix.EINVAL
	}
	return int(last) + 1, nil
}
