// Package configgz reads the configuration that a kernel has in /proc/config.gz. It is a package of its own since unpacking costs a static binary 356 KB: a program that reads it over one that does nothing (amd64, CGO_ENABLED=0 go build -trimpath -ldflags="-s -w").
package configgz

import (
	"compress/gzip"
	"io"
	"os"
)

// Path is where a kernel with CONFIG_IKCONFIG_PROC has its configuration.
const Path = "/proc/config.gz"

// maxSize is how many bytes are unpacked at most; configurations have some 300 KB.
const maxSize = 16 << 20

// Read returns the text of the configuration, for object.ParseKconfig. The error is ENOENT where the kernel does not have it, or /proc is not mounted; it is
// then in /boot/config-<release> on most machines, which object.RunningKconfig reads.
func Read() ([]byte, error) {
	file, err := os.Open(Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(unpacked, maxSize))
}
