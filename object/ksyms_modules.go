package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// openModule opens the BTF of a kernel module, and gives its index in l.modules and its descriptor. The kernel gives it by an id that only a search tells.
// Linux 5.11; CAP_SYS_ADMIN.
func (l *loader) openModule(name string) (index int16, fd int32, err error) {
	fail := func(err error, do string) (int16, int32, error) {
		return 0, 0, sys.Fail("open the types of module", text.Quote(name), err, do)
	}
	if len(l.modules) == 0 {
		l.modules, l.moduleFDs = append(l.modules, nil), append(l.moduleFDs, 0)
	}
	if len(l.modules) > maxModules {
		return fail(unix.E2BIG, "functions of fewer modules can be called")
	}
	var next sys.GetIDAttr
	for {
		if err := sys.BTFGetNextID(&next); err != nil {
			return fail(err, "looking for it needs CAP_SYS_ADMIN")
		}
		btf, err := sys.BTFGetFDByID(&sys.GetFDByIDAttr{StartID: next.NextID})
		next.StartID = next.NextID
		if err == unix.ENOENT {
			continue // it went away
		}
		if err != nil {
			return fail(err, "looking for it needs CAP_SYS_ADMIN")
		}
		if !isModule(btf, name) {
			btf.Close()
			continue
		}
		l.modules, l.moduleFDs = append(l.modules, btf), append(l.moduleFDs, int32(btf.Int()))
		return int16(len(l.modules) - 1), int32(btf.Int()), nil
	}
}

// maxModules is how many modules the offset of an instruction can tell apart; the kernel takes 256 (MAX_KFUNC_BTFS of kernel/bpf/verifier.c).
const maxModules = 256

// isModule reports whether BTF is that of the module of a name.
func isModule(btf *sys.FD, name string) bool {
	var buffer [64]byte // MODULE_NAME_LEN is 56 on 64-bit machines
	info := sys.BTFInfo{Name: sys.Slice(buffer[:]), NameLen: uint32(len(buffer))}
	if _, err := sys.GetInfo(btf, &info); err != nil || info.KernelBTF == 0 {
		return false
	}
	n := len(name)
	return n < len(buffer) && buffer[n] == 0 && view(buffer[:n]) == name
}
