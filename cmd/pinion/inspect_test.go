package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func Example() {
	run([]string{"inspect", objects + "counter.bpf.o"}, os.Stdout, os.Stderr)
	// Output:
	// ../../testdata/bpf/counter.bpf.o: object counter, license "Dual BSD/GPL", little-endian
	//   MAP      TYPE   KEY  VALUE  ENTRIES  FLAGS  PINNING  SECTION
	//   packets  array  4    8      2        0x0    -        .maps
	//   .rodata  array  4    4      1        0x480  -        .rodata
	//   .bss     array  4    8      1        0x400  -        .bss
	//   PROGRAM        TYPE        SECTION             INSTRUCTIONS  LOADED  ATTACHED   REFERS-TO
	//   count_ingress  cgroup_skb  cgroup_skb/ingress  30            yes     by caller  packets,.rodata,.bss
	//   count_egress   cgroup_skb  cgroup_skb/egress   30            yes     by caller  packets,.rodata,.bss
	//   VARIABLE  MAP      OFFSET  SIZE
	//   sample    .rodata  0       4
	//   bytes     .bss     0       8
}

// TestInspectAll reads every object for tests, but for the one that is to be refused.
func TestInspectAll(t *testing.T) {
	paths, err := filepath.Glob(objects + "*.o")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no objects: %v", err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "/legacy_odd.bpf.o") {
			_, said := pinion(t, failed, "inspect", path)
			wantLine(t, said, "legacy_odd")
			continue
		}
		read := decode[[]fileInfo](t, "inspect", path)
		if len(read) != 1 || read[0].File != path || len(read[0].Maps)+len(read[0].Programs) == 0 {
			t.Errorf("%s: %+v", path, read)
		}
		if big := strings.HasSuffix(path, "-be.bpf.o"); (read[0].ByteOrder == "big") != big {
			t.Errorf("%s is %s-endian", path, read[0].ByteOrder)
		}
	}
}

func TestInspectAccesses(t *testing.T) {
	read := decode[[]fileInfo](t, "inspect", objects+"core.bpf.o", objects+"core_kinds.bpf.o")
	if n := len(read[0].Accesses); n != 7 || len(read[1].Accesses) < 30 {
		t.Fatalf("%d and %d accesses", n, len(read[1].Accesses))
	}
	want := accessInfo{"read_task", "raw_tp/sys_enter", 30, "size of struct task_struct.comm", "core.c", 30}
	if diff := cmp.Diff(want, read[0].Accesses[2]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	out, _ := pinion(t, done, "inspect", objects+"core.bpf.o")
	wantWords(t, out, "7 accesses are fitted", "ASKS-FOR", "core.c:34", "value of enum bpf_prog_type___local.BPF_PROG_TYPE_XDP___local")
}

func TestInspectFields(t *testing.T) {
	read := decode[[]fileInfo](t, "inspect", objects+"tailcall.bpf.o", objects+"optional.bpf.o", objects+"map_in_map.bpf.o", objects+"struct_ops.bpf.o", objects+"ksyms.bpf.o")
	var slots []slotInfo
	for _, m := range read[0].Maps {
		slots = append(slots, m.Slots...)
	}
	if len(slots) == 0 || slots[0].Name == "" {
		t.Errorf("the program array's slots: %+v", slots)
	}
	loaded := make(map[bool]int)
	for _, p := range read[1].Programs {
		loaded[p.Autoload]++
	}
	if loaded[true] == 0 || loaded[false] == 0 {
		t.Errorf("optional programs: %+v", read[1].Programs)
	}
	inner := 0
	for _, m := range read[2].Maps {
		if m.Inner != nil && m.Inner.Type != "" {
			inner++
		}
	}
	if inner == 0 {
		t.Errorf("maps of maps: %+v", read[2].Maps)
	}
	if relocations := read[4].Programs[0].Relocations; len(read[3].Lacks) == 0 || len(relocations) < 2 || relocations[1].Kind != "extern" {
		t.Errorf("what it lacks: %+v, externs: %+v", read[3], read[4])
	}
	want := []externInfo{{"pinion_has_no_such_symbol", "kernel symbol", true}, {"schedule", "kernel symbol", false}}
	if diff := cmp.Diff(want, read[4].Externs); diff != "" {
		t.Errorf("externs of ksyms, -want +got:\n%s", diff)
	}
	out, _ := pinion(t, done, "inspect", objects+"map_in_map.bpf.o", objects+"kconfig.bpf.o", objects+"struct_ops.bpf.o", objects+"pinned.bpf.o")
	wantWords(t, out, "its inner maps", "kernel option", "no (weak)", "LINUX_KERNEL_VERSION", "NOT-LOADABLE-YET", "by name")
}

// TestInspectMany: one file that cannot be read does not stop the others.
func TestInspectMany(t *testing.T) {
	half, gone := truncated(t), t.TempDir()+"/gone.bpf.o"
	out, said := pinion(t, failed, "inspect", half, objects+"raw_tp.bpf.o", gone, objects+"xdp.bpf.o")
	wantWords(t, out, "object raw_tp", "object xdp")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if len(lines) != 2 {
		t.Fatalf("says %q, want a line each for two files", said)
	}
	wantWords(t, lines[0], "half.bpf.o")
	wantWords(t, lines[1], gone, "no such file")
}

// TestHostileNames: what a file says does not reach the terminal as it is.
func TestHostileNames(t *testing.T) {
	for text, want := range map[string]string{"": "-", "a_b": "a_b", "a b": `"a b"`, "\x1b[2J": `"\x1b[2J"`, "é": "é"} {
		if diff := cmp.Diff(want, plain(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
