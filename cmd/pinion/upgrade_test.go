package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// rebuilt gives another build of an object: it is the same but for its license.
func rebuilt(t *testing.T, file string) string {
	t.Helper()
	path := copyOf(t, file, file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(data, []byte("Dual BSD/GPL"), []byte("Dual MIT/GPL"), 1)
	if bytes.Equal(data, other) {
		t.Fatalf("%s has another license", file)
	}
	if err := os.WriteFile(path, other, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// idsOf gives the kernel's ids of what is pinned, by kind and name.
func idsOf(t *testing.T, root, name string) map[string]uint32 {
	t.Helper()
	ids := make(map[string]uint32)
	shown := decode[showInfo](t, "show", "-root", root, name)
	if shown.Drifted {
		t.Errorf("shown: %+v", shown)
	}
	for _, p := range shown.Pins {
		ids[p.Kind+" "+p.Name] = p.ID
	}
	return ids
}

// wantSteps compares what becomes of each thing: kind, name, action, gap of a link.
func wantSteps(t *testing.T, got *upgradeInfo, want string) {
	t.Helper()
	var lines []string
	for i := range got.Steps {
		lines = append(lines, got.Steps[i].line())
	}
	if diff := cmp.Diff(strings.ReplaceAll(strings.TrimSpace(want), "\t", ""), strings.Join(lines, "\n")); diff != "" {
		t.Errorf("%s, steps (-want +got):\n%s", got.State, diff)
	}
}

const counterSteps = `
	map .bss: migrate
	map .rodata: recreate
	map packets: keep
	map sockets: new
	program count_egress: new
	program count_ingress: new
	program count_sockets: new
	link count_egress: switch, gap none
	link count_ingress: switch, gap none`

// TestUpgrade plans an upgrade, which changes nothing, does it, and does it again.
func TestUpgrade(t *testing.T) {
	root := pinCounter(t).Path()
	next, before := objects+"counter_v2.bpf.o", idsOf(t, root, "counter")
	args := []string{"upgrade", "-root", root, "-map", ".bss=migrate", "counter", next}
	planned := decode[upgradeInfo](t, append(args, "-plan")...)
	wantSteps(t, &planned, counterSteps)
	if diff := cmp.Diff(upgradeInfo{Name: "counter", State: statePlanned, From: 1, To: 2}, planned, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(upgradeInfo{}, "Steps")); diff != "" {
		t.Errorf("planned (-want +got):\n%s", diff)
	}
	out, _ := pinion(t, done, append(args, "-plan")...)
	wantWords(t, out, "counter: would be upgraded from generation 1 to 2\n", "KIND", "ACTION", "GAP", "WHY", "MAP", "FIELD", "WANTED", "PINNED", "value size", "16")
	if diff := cmp.Diff(before, idsOf(t, root, "counter")); diff != "" {
		t.Errorf("a plan changes ids (-before +after):\n%s", diff)
	}
	upgraded := decode[upgradeInfo](t, args...)
	wantSteps(t, &upgraded, counterSteps)
	if upgraded.State != stateUpgraded || upgraded.To != 2 {
		t.Errorf("upgraded: %+v", upgraded)
	}
	after := idsOf(t, root, "counter")
	for thing, same := range map[string]bool{"map packets": true, "link count_ingress": true, "program count_ingress": false, "map .rodata": false} {
		if after[thing] == 0 || (before[thing] == after[thing]) != same {
			t.Errorf("%s had id %d, and has %d", thing, before[thing], after[thing])
		}
	}
	checkNoOp(t, args, after)
}

// checkNoOp upgrades to what is pinned already.
func checkNoOp(t *testing.T, args []string, ids map[string]uint32) {
	t.Helper()
	root := args[2]
	for _, flag := range []string{"-plan", "-keep-old"} {
		out, _ := pinion(t, done, append(args, flag)...)
		wantWords(t, out, "counter: already pinned from this file, as generation 2: nothing to do\n")
		if again := decode[upgradeInfo](t, append(args, flag)...); again.State != statePinned || again.From != 2 || again.To != 2 {
			t.Errorf("%s again: %+v", flag, again)
		}
	}
	if diff := cmp.Diff(ids, idsOf(t, root, "counter")); diff != "" {
		t.Errorf("ids (-before +after):\n%s", diff)
	}
	if build := decode[showInfo](t, "show", "-root", root, "-elf", args[len(args)-1], "counter").Build; build != buildSame {
		t.Errorf("show -elf says %q", build)
	}
}

// TestUpgradeText: an upgrade tells what was copied, and -attach of what it leaves unattached.
func TestUpgradeText(t *testing.T) {
	root := pinCounter(t).Path()
	out, _ := pinion(t, done, "upgrade", "-root", root, "-attach", "-map", ".bss=migrate", "counter", objects+"counter_v2.bpf.o")
	wantWords(t, out, "counter: upgraded from generation 1 to 2\n", "map .bss: 1 entries copied, ",
		"note: program count_sockets is not attached: its section, cgroup/sock_create, does not say where to")
	if strings.Contains(out, "note: program count_ingress") {
		t.Errorf("says of a program that is attached: %s", out)
	}
}

// fill puts entries into the map of events_a, which is pinned as flow.
func fill(t *testing.T, path string, entries int) {
	t.Helper()
	root, err := pinning.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	obj, err := root.Open("flow")
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Close()
	for i := range entries {
		if err := obj.Map("events").Update([]byte{byte(i), 0, 0, 0}, make([]byte, 16), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUpgradePolicies: a map that does not fit is refused with what differs and the policies that help, and each of these does.
func TestUpgradePolicies(t *testing.T) {
	larger := []string{"max entries: want 64, have 32", "-map events=any keeps", "-map events=migrate copies", "-map events=recreate begins"}
	fields := []string{"BTF of value", `"bytes"`, "-map events=migrate copies", "-map events=recreate begins"}
	for _, c := range []struct {
		file, policy  string
		refuses       []string
		action        string
		same          bool   // the map
		copied, field string // as they are told
	}{
		{"events_b_big", "any", larger, "keep", true, "", "max entries  64      32"},
		{"events_b_big", "any,migrate", larger, "keep", true, "", ""},
		{"events_b_big", "migrate", larger, "migrate", false, "map events: 3 entries copied", "max entries  64      32"},
		{"events_b_big", "at-least,migrate", larger, "migrate", false, "map events: 3 entries copied", ""},
		{"events_b_big", "recreate", larger, "recreate", false, "", ""},
		{"events_btf", "migrate", fields, "migrate", false, "map events: 3 entries copied", "BTF of value"},
		{"events_btf", "recreate", fields, "recreate", false, "", ""},
	} {
		t.Run(c.file+" "+c.policy, func(t *testing.T) {
			root, file := testenv.BPFFS(t), objects+c.file+".bpf.o"
			pinion(t, done, "load", "-root", root, "-name", "flow", objects+"events_a.bpf.o")
			fill(t, root, 3)
			before, filesBefore := idsOf(t, root, "flow"), files(t, root)
			_, said := pinion(t, refused, "upgrade", "-root", root, "flow", file)
			wantLine(t, said, append(c.refuses, "flow", `map "events"`)...)
			out, said := pinion(t, refused, "upgrade", "-root", root, "-plan", "flow", file)
			wantLine(t, said, append(c.refuses, root+"/flow", `map "events"`)...)
			wantWords(t, out, "flow: would not be upgraded from generation 1", "refuse", c.field)
			if diff := cmp.Diff(before, idsOf(t, root, "flow")) + cmp.Diff(filesBefore, files(t, root)); diff != "" {
				t.Errorf("a refusal changes (-before +after):\n%s", diff)
			}
			out, _ = pinion(t, done, "upgrade", "-root", root, "-map", "events="+c.policy, "flow", file)
			wantWords(t, out, "flow: upgraded from generation 1 to 2\n", c.action, c.copied)
			if after := idsOf(t, root, "flow"); (after["map events"] == before["map events"]) != c.same {
				t.Errorf("map events had id %d, and has %d", before["map events"], after["map events"])
			}
		})
	}
}

// TestUpgradeSmaller: a map with more entries than are wanted can be kept as one that has at least those.
func TestUpgradeSmaller(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, "-name", "flow", "-instance", "eth0", objects+"events_b_big.bpf.o")
	_, said := pinion(t, refused, "upgrade", "-root", root, "flow@eth0", objects+"events_a.bpf.o")
	wantLine(t, said, "max entries: want 32, have 64", "-map events=at-least keeps it")
	upgraded := decode[upgradeInfo](t, "upgrade", "-root", root, "-instance", "eth0", "-map", "events=at-least", "flow", objects+"events_a.bpf.o")
	if upgraded.Name != "flow@eth0" || upgraded.Steps[0].Action != "keep" {
		t.Errorf("upgraded: %+v", upgraded)
	}
}

// TestUpgradeRefusedJSON: the document of a plan that is refused is there too.
func TestUpgradeRefusedJSON(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, "-name", "flow", objects+"events_a.bpf.o")
	out, _ := pinion(t, refused, "upgrade", "-root", root, "-json", "-plan", "flow", objects+"events_b_big.bpf.o")
	var plan upgradeInfo
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		t.Fatal(err)
	}
	want := []differInfo{{"max entries", "64", "32"}}
	if diff := cmp.Diff(want, plan.Steps[0].Differs); diff != "" || plan.State != stateRefused {
		t.Errorf("%s, differs (-want +got):\n%s", plan.State, diff)
	}
}

// TestUpgradeAttachesBeside: the kernel tells where a raw tracepoint's link is attached, so another one is made, and the old one dropped.
func TestUpgradeAttachesBeside(t *testing.T) {
	for _, flag := range []string{"-keep-old", "-attach"} {
		root, next := testenv.BPFFS(t), rebuilt(t, "raw_tp.bpf.o")
		pinion(t, done, "load", "-root", root, "-attach", objects+"raw_tp.bpf.o")
		before := idsOf(t, root, "raw_tp")
		upgraded := decode[upgradeInfo](t, "upgrade", "-root", root, flag, "raw_tp", next)
		wantSteps(t, &upgraded, `
		map .bss: keep
		program count_calls: same
		link count_calls: attach, gap double`)
		if after := idsOf(t, root, "raw_tp"); after["link count_calls"] == before["link count_calls"] || after["map .bss"] != before["map .bss"] {
			t.Errorf("%s: ids before %v, after %v", flag, before, after)
		}
	}
}

// TestUpgradeUnattached: a link that cannot be switched, and of which the kernel does not tell where it is attached, is left alone without -attach.
func TestUpgradeUnattached(t *testing.T) {
	testenv.Kernel(t, "5.15", "pinned links of tracepoints")
	testenv.Tracefs(t)
	root, next := testenv.BPFFS(t), rebuilt(t, "tracepoint.bpf.o")
	pinion(t, done, "load", "-root", root, "-attach", objects+"tracepoint.bpf.o")
	before := idsOf(t, root, "tracepoint")
	_, said := pinion(t, refused, "upgrade", "-root", root, "-keep-old", "tracepoint", next)
	wantLine(t, said, "count_enters", "unattached", "attach it with upgrade -attach")
	if diff := cmp.Diff(before, idsOf(t, root, "tracepoint")); diff != "" {
		t.Errorf("ids (-before +after):\n%s", diff)
	}
	out, _ := pinion(t, done, "upgrade", "-root", root, "-keep-old", "-attach", "tracepoint", next)
	wantWords(t, out, "links of kind perf_event cannot be switched")
	_, said = pinion(t, refused, "rollback", "-root", root, "tracepoint")
	wantLine(t, said, "unattached", "(go back with: pinion -root "+root+" upgrade -attach, and the file of the build before)")
}

// TestLoadAnotherBuild: load replaces nothing, and says what does.
func TestLoadAnotherBuild(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"raw_tp.bpf.o")
	_, said := pinion(t, refused, "load", "-root", root, rebuilt(t, "raw_tp.bpf.o"))
	wantLine(t, said, "another build", "pinion -root "+root+" upgrade")
	_, said = pinion(t, failed, "upgrade", "-root", root, "nosuch", objects+"raw_tp.bpf.o")
	wantLine(t, said, root+"/nosuch", "not pinned", "ls)")
}

// TestRollback goes back to what was kept, once; without that, it says how to keep it.
func TestRollback(t *testing.T) {
	root := pinCounter(t).Path()
	next, before := objects+"counter_v2.bpf.o", idsOf(t, root, "counter")
	for range 2 {
		_, said := pinion(t, failed, "rollback", "-root", root, "counter")
		wantLine(t, said, root+"/counter", "no previous generation", "(upgrade with -keep-old to have one)")
	}
	pinion(t, done, "upgrade", "-root", root, "-keep-old", "-map", ".bss=migrate", "counter", next)
	back := decode[upgradeInfo](t, "rollback", "-root", root, "-keep-old", "counter")
	if back.State != stateRolledBack || back.From != 2 || back.To != 3 {
		t.Errorf("rolled back: %+v", back)
	}
	if diff := cmp.Diff(before, idsOf(t, root, "counter")); diff != "" {
		t.Errorf("ids (-first +rolled back):\n%s", diff)
	}
	if build := decode[showInfo](t, "show", "-root", root, "-elf", next, "counter").Build; build != buildOther {
		t.Errorf("show -elf says %q", build)
	}
	out, _ := pinion(t, done, "rollback", "-root", root, "counter")
	wantWords(t, out, "counter: rolled back from generation 3 to 4\n", "count_sockets")
	_, said := pinion(t, failed, "rollback", "-root", root, "counter")
	wantLine(t, said, "upgrade with -keep-old")
	_, said = pinion(t, failed, "rollback", "-root", root, "nosuch")
	wantLine(t, said, root+"/nosuch", "not pinned", "ls)")
}

// TestRefusedTogether: all maps that do not fit are told in one line.
func TestRefusedTogether(t *testing.T) {
	spec, err := object.Open(objects + "pinned.bpf.o")
	if err != nil {
		t.Fatal(err)
	}
	differs := []object.Difference{{Field: "max entries", Want: "2", Have: "1"}}
	library := sys.Fail("upgrade", "/r/flow", errors.Join(&object.MismatchError{Map: "flows", Fields: differs}, &object.MismatchError{Map: "total", Fields: differs}), "do")
	refused := refuseMaps("upgrade /r/flow", mismatches(library), spec)
	wantLine(t, (&call{}).tell(refused)+"\n", `upgrade /r/flow: map "flows" exists`, `have 1; and map "total" exists`, "(-map flows=any keeps it", "; -map total=any keeps it")
	if !protects(refused) {
		t.Error("does not protect")
	}
}

// TestPolicyAdvice: what can not be kept or copied is not advised.
func TestPolicyAdvice(t *testing.T) {
	spec, err := object.Open(filepath.Join(objects, "maps.bpf.o"))
	if err != nil {
		t.Fatal(err)
	}
	var hash, queue string
	for _, m := range spec.Maps {
		switch m.Type.String() {
		case "hash":
			hash = m.Name
		case "queue":
			queue = m.Name
		}
	}
	for _, c := range []struct {
		name   string
		fields []object.Difference
		want   []string
	}{
		{hash, []object.Difference{{Field: "max entries", Want: "100", Have: "99"}}, []string{"any", "migrate", "recreate"}},
		{hash, []object.Difference{{Field: "max entries", Want: "99", Have: "100"}}, []string{"at-least", "migrate", "recreate"}},
		{hash, []object.Difference{{Field: "value size", Want: "16", Have: "8"}, {Field: "max entries", Want: "9", Have: "8"}}, []string{"migrate", "recreate"}},
		{hash, []object.Difference{{Field: "value size", Want: "8", Have: "16"}}, []string{"recreate"}},
		{hash, []object.Difference{{Field: "key size", Want: "8", Have: "4"}}, []string{"recreate"}},
		{queue, []object.Difference{{Field: "max entries", Want: "8", Have: "4"}}, []string{"any", "recreate"}},
		{queue, []object.Difference{{Field: "flags", Want: "0x0", Have: "0x1"}}, []string{"recreate"}},
	} {
		var got []string
		for word := range strings.SplitSeq(policyAdvice(&object.MismatchError{Map: c.name, Fields: c.fields}, spec), "-map "+c.name+"=") {
			if word != "" {
				got = append(got, strings.Fields(word)[0])
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("map %s, %v (-want +got):\n%s", c.name, c.fields, diff)
		}
	}
}
