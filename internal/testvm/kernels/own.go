package kernels

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// own gives the kernel that the user named, with the configuration and modules that lie where they usually do: as installed (boot/vmlinuz-RELEASE and
// lib/modules), or in the tree that it was built in (arch/x86/boot/bzImage).
func own(image string) (Kernel, error) {
	image, err := filepath.Abs(image)
	if err != nil {
		return Kernel{}, err
	}
	release, err := releaseOf(image)
	if err != nil {
		return Kernel{}, fmt.Errorf("VMTEST_KERNEL: %w", err)
	}
	k := Kernel{Line: "own", Release: release, Image: image}
	dir := filepath.Dir(image)
	if release != "" {
		k.Config = firstExisting(filepath.Join(dir, "config-"+release), filepath.Join(dir, "../../../.config"), filepath.Join("/boot", "config-"+release))
		k.Modules = firstExisting(filepath.Join(dir, "../lib/modules", release), filepath.Join(dir, "lib/modules", release),
			filepath.Join("/lib/modules", release))
	}
	return k, nil
}

func firstExisting(paths ...string) string {
	for _, path := range paths {
		if existing(path) != "" {
			return filepath.Clean(path)
		}
	}
	return ""
}

// releaseOf gives the release of a kernel's image. On amd64 its header says it, as Documentation/arch/x86/boot.rst has it. Elsewhere only the name does,
// if it is vmlinuz-RELEASE; else it is "".
func releaseOf(image string) (string, error) {
	f, err := os.Open(image)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, 0x10000)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("%s is no kernel: %w", image, err)
	}
	if release, ok := headerRelease(head[:n]); ok {
		return release, nil
	}
	if runtime.GOARCH == "amd64" {
		return "", fmt.Errorf("%s is no kernel: its beginning is not that of a bzImage", image)
	}
	release, _ := strings.CutPrefix(filepath.Base(image), "vmlinuz-")
	if lineOf(release) == "" {
		return "", nil
	}
	return release, nil
}

// headerRelease reads the release from the beginning of a bzImage, "" if it has none. It tells whether it is a bzImage.
func headerRelease(head []byte) (release string, ok bool) {
	const magic, pointer, base = 0x202, 0x20e, 0x200
	if len(head) < pointer+2 || string(head[magic:magic+4]) != "HdrS" {
		return "", false
	}
	at := base + int(binary.LittleEndian.Uint16(head[pointer:]))
	if at == base || at >= len(head) {
		return "", true
	}
	text, _, _ := bytes.Cut(head[at:], []byte{0})
	release, _, _ = strings.Cut(string(text), " ")
	return release, true
}
