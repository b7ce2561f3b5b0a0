package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// openModule opens the BTF of a kernel module whose functions are called, and gives its index in l.fdArray and its descriptor.
func (l *loader) openModule(name string) (index int16, fd int32, err error) {
	if len(l.fdArray) == 0 {
		l.fdArray = append(l.fdArray, 0)
	}
	if len(l.fdArray) > maxModules {
		return 0, 0, sys.Fail("open the types of module", text.Quote(name), unix.E2BIG, "functions of fewer modules can be called")
	}
	module, err := findModule(name)
	if err != nil {
		return 0, 0, err
	}
	l.modules, l.fdArray = append(l.modules, module), append(l.fdArray, int32(module.Int()))
	return int16(len(l.fdArray) - 1), int32(module.Int()), nil
}

// findModule opens the BTF of a kernel module. The kernel gives it by an id that only a search tells. Linux 5.11; CAP_SYS_ADMIN.
func findModule(name string) (*sys.FD, error) {
	fail := func(err error) (*sys.FD, error) {
		return nil, sys.Fail("open the types of module", text.Quote(name), err, "looking for it needs CAP_SYS_ADMIN")
	}
	var next sys.GetIDAttr
	for {
		if err := sys.BTFGetNextID(&next); err != nil {
			return fail(err)
		}
		btf, err := sys.BTFGetFDByID(&sys.GetFDByIDAttr{StartID: next.NextID})
		next.StartID = next.NextID
		switch {
		case err == unix.ENOENT: // it went away
		case err != nil:
			return fail(err)
		case isModule(btf, name):
			return btf, nil
		default:
			btf.Close()
		}
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
