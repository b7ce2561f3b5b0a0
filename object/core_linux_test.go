package object_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// runningKernel gives the types of the kernel that runs, and closes them with the test.
func runningKernel(t testing.TB) *object.KernelTypes {
	t.Helper()
	k, err := object.RunningKernel()
	check(t, err)
	t.Cleanup(func() { check(t, k.Close()) })
	return k
}

// customTypes gives those of core_types.
func customTypes(t testing.TB) *object.KernelTypes {
	t.Helper()
	data, err := os.ReadFile(path("core_types"))
	check(t, err)
	k, err := object.ParseKernelTypes(data)
	check(t, err)
	return k
}

// kernelBTF parses the kernel's types anew, to look things up in another way than what is tested.
func kernelBTF(t testing.TB) *btf.Data {
	t.Helper()
	raw, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	check(t, err)
	d, err := btf.Parse(raw)
	check(t, err)
	return d
}

// run runs a raw tracepoint's program once, on this thread, or a socket filter on a packet of that many bytes.
func run(t testing.TB, o *object.Object, program string, packet int) {
	t.Helper()
	attr := sys.ProgTestRunAttr{ProgFD: o.Program(program).FD().Attr()}
	if packet > 0 {
		attr.DataIn, attr.DataSizeIn = sys.Slice(make([]byte, packet)), uint32(packet)
	}
	check(t, sys.ProgTestRun(&attr))
}

// wantVariables compares global variables of 8 bytes.
func wantVariables(t *testing.T, o *object.Object, want map[string]uint64) {
	t.Helper()
	got := map[string]uint64{}
	for name := range want {
		got[name] = variable(t, o, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func one(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

// TestCoreFields asks for fields of the thread that the test runs on. The truth is what its system calls say, and what the kernel's types say.
func TestCoreFields(t *testing.T) {
	runtime.LockOSThread() // and never unlock: the thread ends with the test, and with it what is set below
	o := loadSpec(t, open(t, "core_kinds"), &object.LoadOptions{KernelTypes: runningKernel(t)})
	task, found := kernelBTF(t).Find(btf.KindStruct, "task_struct")
	if !found {
		t.Fatal("the kernel has no task_struct")
	}
	offset := map[string]uint64{}
	for _, m := range task.Members() {
		offset[m.Name] = uint64(m.BitOffset / 8)
	}
	_, renamed := offset["__state"]
	comm, err := os.ReadFile("/proc/thread-self/comm")
	check(t, err)
	for _, reset := range []bool{false, true} {
		if reset {
			check(t, unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Flags: unix.SCHED_FLAG_RESET_ON_FORK}, 0))
		}
		run(t, o, "read_task", 0)
		wantVariables(t, o, map[string]uint64{
			"tgid": uint64(os.Getpid()), "pid": uint64(unix.Gettid()), "parent": uint64(os.Getppid()), "reset_on_fork": one(reset),
			"comm_offset": offset["comm"], "third_offset": offset["comm"] + 2, "comm_size": 16, "flags_signed": 0, "tgid_signed": 1,
			"has_comm": 1, "has_none": 0, "has_state": one(!renamed), "has_new_state": one(renamed), "unreached": 0,
		})
	}
	data := lookup32(t, o.Map(".bss"), 0)
	name := unix.ByteSliceToString(data[o.Spec().Variable("comm").Offset():][:16])
	if want := strings.TrimSuffix(string(comm), "\n"); name != want || data[o.Spec().Variable("third").Offset()] != want[2] {
		t.Errorf("the thread is called %q, and not %q", want, name)
	}
}

// TestCoreTypes asks for types and enumerators of the kernel.
func TestCoreTypes(t *testing.T) {
	o := loadSpec(t, open(t, "core_kinds"), &object.LoadOptions{KernelTypes: runningKernel(t)})
	task, _ := kernelBTF(t).Find(btf.KindStruct, "task_struct")
	data, err := os.ReadFile(path("core_kinds"))
	check(t, err)
	file, err := elf.Parse(data)
	check(t, err)
	own, err := btf.Parse(file.Section(".BTF").Data)
	check(t, err)
	local, _ := own.Find(btf.KindStruct, "task_struct")
	run(t, o, "read_types", 0)
	wantVariables(t, o, map[string]uint64{
		"local_id": uint64(local.ID()), "kernel_id": uint64(task.ID()), "no_id": 0, "has_type": 1, "has_typedef": 1, "no_type": 0,
		"type_size": uint64(task.Size()), "no_size": 0, "matches": 1, "mismatches": 0,
		"ring_value": 27, "has_ring": 1, "has_pinion_map": 0, // BPF_MAP_TYPE_RINGBUF of the kernel's ABI
	})
}

// TestCoreMemory has loads and stores moved, and loads of 8 bytes made such of 4, in a program and in a subprogram.
func TestCoreMemory(t *testing.T) {
	o := loadSpec(t, open(t, "core_kinds"), &object.LoadOptions{KernelTypes: runningKernel(t)})
	run(t, o, "read_packet", 100)
	length := variable(t, o, "length")
	if length != 100 && length != 100-14 { // without the header of Ethernet
		t.Errorf("a packet of %d bytes", length)
	}
	wantVariables(t, o, map[string]uint64{"wide_length": length, "mark": 0, "stored": length + 1})
}

// TestCoreCustomTypes fits accesses to types from a file. What they should be, the file's source says.
func TestCoreCustomTypes(t *testing.T) {
	testenv.Root(t)
	s := open(t, "core_custom")
	o := loadSpec(t, s, &object.LoadOptions{KernelTypes: customTypes(t)})
	run(t, o, "ask", 0)
	wantVariables(t, o, map[string]uint64{
		"first": 8, "second": 12, "second_size": 2, "list1": 28, "rest": 80, "item_size": 56,
		"red": 11, "blue": 0x80000002, "below": 1<<64 - 7, "huge": 0x1234567890,
	})
	data := lookup32(t, o.Map(".bss"), 0)
	for name, want := range map[string][5]uint64{ // offset, size, signed, left shift, right shift
		"narrow": {16, 4, 0, 64 - 8, 64 - 5},
		"wide":   {16, 4, 0, 64 - 32, 64 - 24},
		"under":  {20, 4, 1, 64 - 7, 64 - 7},
	} {
		var got [5]uint64
		for i := range got {
			got[i] = binary.NativeEndian.Uint64(data[s.Variable(name).Offset()+8*i:])
		}
		if got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// TestCoreMissing loads programs that reach what the kernel has not.
func TestCoreMissing(t *testing.T) {
	types := runningKernel(t)
	o := loadSpec(t, open(t, "core_missing"), &object.LoadOptions{KernelTypes: types})
	run(t, o, "guarded", 0)
	for program, parts := range map[string][]string{
		"unguarded": {
			`offset of struct task_struct.pinion_has_no_such_field in function "read_field", instruction `, `line 32 of "core_missing.c"`,
			"the kernel's type of that name has nothing of the kind there",
		},
		"no_enum": {"value of enum pinion_has_no_such_enum.PINION_HAS_NO_SUCH_VALUE", "line 43", "the kernel has no type of that kind and name"},
		"resized": {"offset of struct __sk_buff___signed.len", "line 52", "compiled for 8 bytes, the kernel's has 4", "BPF_CORE_READ"},
	} {
		s := open(t, "core_missing")
		s.Program(program).Autoload = true
		_, err := s.Load(&object.LoadOptions{KernelTypes: types})
		wantError(t, err, object.ErrVerifier, append([]string{program}, parts...)...)
		var refused *object.VerifierError
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.Access, parts[0]) {
			t.Errorf("%s: Access is %q", program, refused.Access)
		}
	}
}

// TestCoreWithoutTypes loads what needs no kernel types, and refuses the rest.
func TestCoreWithoutTypes(t *testing.T) {
	testenv.Root(t)
	s := open(t, "core_kinds")
	_, err := s.Load(nil)
	wantError(t, err, object.ErrNoKernelTypes, `"read_task" has `, "set LoadOptions.KernelTypes")
	if _, err := s.Load(&object.LoadOptions{KernelTypes: new(object.KernelTypes)}); !errors.Is(err, object.ErrNoKernelTypes) {
		t.Errorf("the zero KernelTypes: %v", err)
	}
	s.Program("read_task").Autoload, s.Program("read_types").Autoload, s.Program("read_packet").Autoload = false, false, false
	o, err := s.Load(nil)
	check(t, err)
	check(t, o.Close())
	_, err = open(t, "iter").Load(nil)
	wantError(t, err, object.ErrNoKernelTypes, `program "list_maps" in section "iter/bpf_map"`, "set LoadOptions.KernelTypes")
	k := runningKernel(t)
	check(t, k.Close())
	_, err = open(t, "core_kinds").Load(&object.LoadOptions{KernelTypes: k})
	wantError(t, err, sys.ErrClosed)
}

// TestCoreFindsTargets has iterators find their targets in types that were given, of the kernel or others.
func TestCoreFindsTargets(t *testing.T) {
	for _, types := range []*object.KernelTypes{runningKernel(t), customTypes(t)} {
		if o := loadSpec(t, open(t, "iter"), &object.LoadOptions{KernelTypes: types}); len(o.Programs()) == 0 {
			t.Error("no programs")
		}
	}
}

func TestCoreKernelTypesFail(t *testing.T) {
	vmlinux, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	check(t, err)
	nobtf, err := os.ReadFile(path("nobtf"))
	check(t, err)
	for name, c := range map[string]struct {
		data []byte
		want error
		says string
	}{
		"nothing":   {nil, object.ErrFormat, "cut short"},
		"cut short": {vmlinux[:len(vmlinux)/2], object.ErrFormat, "ends beyond the blob"},
		"no BTF":    {nobtf, object.ErrFormat, "no section .BTF"},
		"bad ELF":   {nobtf[:70], elf.ErrFormat, "parse the kernel's types"},
	} {
		_, err := object.ParseKernelTypes(c.data)
		t.Run(name, func(t *testing.T) { wantError(t, err, c.want, c.says) })
	}
	matches, err := filepath.Glob("/sys/kernel/btf/*")
	if check(t, err); len(matches) == 0 {
		t.Error("the kernel has no types")
	}
}
