package btf_test

import (
	"os"
	"testing"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// vmlinux returns the running kernel's own BTF. Every kernel of the matrix has it.
func vmlinux(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		t.Fatalf("%v: this test needs /sys mounted and a kernel with CONFIG_DEBUG_INFO_BTF", err)
	}
	return raw
}

func TestKernel(t *testing.T) {
	d, err := btf.Parse(vmlinux(t))
	if err != nil {
		t.Fatal(err)
	}
	if d.Len() < 10000 {
		t.Errorf("%d types, want thousands", d.Len())
	}
	task, ok := d.Find(btf.KindStruct, "task_struct")
	if !ok {
		t.Fatal("no struct task_struct")
	}
	if m, ok := member(task, "pid"); !ok || d.Resolve(m.Type).Name() != "int" || m.BitOffset%32 != 0 {
		t.Errorf("task_struct has no int pid: %+v", m)
	}
	if m, ok := member(task, "comm"); !ok || d.Resolve(m.Type).Array().Count != 16 {
		t.Errorf("task_struct has no char comm[16]: %+v", m)
	}
	if m, ok := member(task, "in_execve"); !ok || m.BitSize != 1 {
		t.Errorf("task_struct has no bit field in_execve: %+v", m)
	}
	attr, ok := d.Find(btf.KindUnion, "bpf_attr")
	if !ok {
		t.Fatal("no union bpf_attr")
	}
	if attr.Size() < 120 {
		t.Errorf("union bpf_attr has %d bytes, want the 120 of Linux 5.10 at least", attr.Size())
	}
	wantWithinSize(t, d, attr)
}

// Every type of the kernel is read, and every struct and union holds what it says it holds.
func TestKernelWhole(t *testing.T) {
	d, err := btf.Parse(vmlinux(t))
	if err != nil {
		t.Fatal(err)
	}
	structs := 0
	for id := range btf.ID(d.Len()) {
		typ := d.Type(id)
		if k := typ.Kind(); k == btf.KindStruct || k == btf.KindUnion {
			structs++
			wantWithinSize(t, d, typ)
		}
	}
	if structs < 1000 {
		t.Errorf("only %d structs", structs)
	}
}

// A struct parsed from one copy of the kernel's BTF equals the one from another.
func TestKernelEqual(t *testing.T) {
	raw := vmlinux(t)
	a, err := btf.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	b := a.Copy()
	for _, name := range []string{"task_struct", "sk_buff", "net_device", "bpf_prog", "list_head"} {
		typ, ok := a.Find(btf.KindStruct, name)
		if !ok {
			t.Errorf("no struct %s", name)
			continue
		}
		if diff := btf.Diff(a, typ.ID(), b, typ.ID()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestKernelAllocations(t *testing.T) {
	raw := vmlinux(t)
	got := testing.AllocsPerRun(2, func() {
		if _, err := btf.Parse(raw); err != nil {
			t.Fatal(err)
		}
	})
	if got > 3 {
		t.Errorf("Parse makes %v allocations, want 3 at most", got)
	}
}

func BenchmarkParseKernel(b *testing.B) {
	raw := vmlinux(b)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := btf.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFindInKernel(b *testing.B) {
	d, err := btf.Parse(vmlinux(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Find(btf.KindStruct, "no such struct"); ok {
			b.Fatal("found")
		}
	}
}

func member(t btf.Type, name string) (btf.Member, bool) {
	for _, m := range t.Members() {
		if m.Name == name {
			return m, true
		}
	}
	return btf.Member{}, false
}

// wantWithinSize checks that each member ends within its struct.
func wantWithinSize(t *testing.T, d *btf.Data, typ btf.Type) {
	t.Helper()
	for _, m := range typ.Members() {
		bits := uint64(m.BitSize)
		if bits == 0 {
			size, err := d.SizeOf(m.Type)
			if err != nil {
				t.Errorf("%s %s: member %s: %v", typ.Kind(), typ.Name(), m.Name, err)
				continue
			}
			bits = 8 * uint64(size)
		}
		if end := uint64(m.BitOffset) + bits; end > 8*uint64(typ.Size()) {
			t.Errorf("%s %s of %d bytes: member %s ends at bit %d", typ.Kind(), typ.Name(), typ.Size(), m.Name, end)
		}
	}
}
