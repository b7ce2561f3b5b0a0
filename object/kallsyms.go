package object

import (
	"bytes"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

const kallsymsPath = "/proc/kallsyms"

// findAddresses looks for the symbols whose address the object asks for.
func (k *ksyms) findAddresses() error {
	list, err := k.readKallsyms()
	if err == nil {
		list.finish()
	}
	return err
}

// readKallsyms looks through the kernel's list of symbols, once.
func (k *ksyms) readKallsyms() (*kallsyms, error) {
	fd, err := unix.Open(kallsymsPath, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, sys.Fail("open", kallsymsPath, err, "kernel symbols need CONFIG_KALLSYMS and a mounted /proc")
	}
	defer unix.Close(fd)
	list := &kallsyms{ksyms: k, wrapper: wrapperSymbol()}
	if err := list.read(fd); err != nil {
		return nil, sys.Fail("read", kallsymsPath, err, "")
	}
	wrapper.CompareAndSwap(0, 1)
	return list, nil
}

// kallsyms is a look through the list for the symbols of one load.
type kallsyms struct {
	*ksyms
	shown   bool   // an address that is not 0: the kernel hides none
	wrapper string // what is called so if system calls have wrappers: it is looked for too, so that the list is read once
}

// read reads lines of "address type name", of modules with "[module]" behind it.
func (k *kallsyms) read(fd int) error {
	room := make([]byte, 64<<10)
	for have := 0; ; {
		n, err := readAll(fd, room[have:])
		if err != nil {
			return err
		}
		have += n
		end := bytes.LastIndexByte(room[:have], '\n') + 1
		if end == 0 {
			return nil // the end, or a line longer than all that there is room for
		}
		for lines := room[:end]; len(lines) > 0; {
			next := bytes.IndexByte(lines, '\n')
			k.line(view(lines[:next]))
			lines = lines[next+1:]
		}
		have = copy(room, room[end:have])
	}
}

// line looks at one symbol. What clang's optimizations have made of a static function's name (.llvm.<hash>) is not part of it.
func (k *kallsyms) line(line string) {
	address, rest, found := text.Cut(line, ' ')
	if !found || len(rest) < 3 {
		return
	}
	name, _, _ := text.Cut(rest[2:], '\t')
	if name == k.wrapper {
		wrapper.Store(2)
	}
	index := externAt(k.externs, name)
	if at := strings.Index(name, ".llvm."); index == nowhere && at > 0 {
		index = externAt(k.externs, name[:at])
	}
	wanted := index != nowhere && k.externs[index].kind == externAddress
	if k.shown && !wanted {
		return
	}
	value, ok := text.Parse(address, 16, 64)
	k.shown = k.shown || value != 0
	if !wanted || !ok {
		return
	}
	switch says := &k.answers[index]; {
	case says.state == notAsked:
		*says = answer{state: isThere, address: value}
	case says.state == isThere && says.address != value:
		*says = answer{state: isMissing, why: "the kernel has several symbols of that name", unsure: true}
	}
}

// finish answers what was not found.
func (k *kallsyms) finish() {
	for i := range k.externs {
		says := &k.answers[i]
		switch {
		case k.externs[i].kind != externAddress:
		case says.state == isThere && !k.shown:
			*says = answer{state: isMissing, why: "the kernel hides addresses; it needs CAP_SYSLOG, and kernel.kptr_restrict below 2"}
		case says.state == notAsked:
			*says = answer{state: isMissing, why: kallsymsPath + " has no symbol of that name"}
		}
	}
}
