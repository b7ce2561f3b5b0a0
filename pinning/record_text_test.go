package pinning_test

import (
	"errors"
	"hash/fnv"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/pinning"
)

const digestUp = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
const digestDown = "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

// flowLines are the lines of flowRecord, without header and end.
var flowLines = []string{
	"tree my%2Eflow@eth0",
	"generation 3",
	"elf " + digestUp,
	"spec " + digestDown,
	"complete yes",
	"map %2Erodata%2Ecfg id 17",
	"map events id 18 shared at common/two%20words%252E",
	"map flows id 19 shared",
	"program ingress id 1",
	"link ingress id 4294967295",
	"link ingress@eth0%0A id 5 at my%252Eflow%40eth0/extra/x",
}

// sealed returns the lines as a record of one part, with the right end.
func sealed(lines ...string) string {
	return "pinion record 1 part 1 of 1\n" + strings.Join(lines, "\n") + "\nend " + sumOf(lines)
}

func sumOf(lines []string) string {
	h := fnv.New64a()
	for _, line := range lines {
		h.Write([]byte(line + "\n"))
	}
	sum := strconv.FormatUint(h.Sum64(), 16)
	return strings.Repeat("0", 16-len(sum)) + sum
}

func TestEncodeRecord(t *testing.T) {
	got, err := pinning.EncodeRecord(flowRecord())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{sealed(flowLines...)}, got); diff != "" {
		t.Error(diff)
	}
	shuffled := flowRecord()
	slices.Reverse(shuffled.Pins)
	again, err := pinning.EncodeRecord(shuffled)
	if err != nil || !slices.Equal(again, got) {
		t.Errorf("another order of pins gives another text: %q, %v", again, err)
	}
	if shuffled.Pins[0].Kind != pinning.KindLink {
		t.Error("EncodeRecord changed its argument")
	}
}

func TestDecodeRecord(t *testing.T) {
	got, err := pinning.DecodeRecord([]string{sealed(flowLines...)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(flowRecord(), got); diff != "" {
		t.Error(diff)
	}
}

// changed returns flowLines with line i replaced, or removed where there is nothing to replace it.
func changed(i int, with ...string) []string {
	return slices.Replace(slices.Clone(flowLines), i, i+1, with...)
}

func TestDecodeRecordRefusesLines(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		says  string
	}{
		{"no tree", changed(0), "want a line that begins with \"tree\""},
		{"bad tree", changed(0, "tree my.flow"), "%record, line 2"},
		{"reserved tree", changed(0, "tree %stage-x"), "reserves"},
		{"generation of 65 bits", changed(1, "generation 18446744073709551616"), "at most 64 bits"},
		{"negative generation", changed(1, "generation -1"), "line 3: generation is \"-1\""},
		{"generation with zeros", changed(1, "generation 03"), "not written as Pinion writes it"},
		{"short digest", changed(2, "elf "+digestUp[2:]), "62 hex digits, want 64"},
		{"no hex", changed(2, "elf g0"+digestUp[2:]), `"g0"`},
		{"signed hex", changed(2, "elf +1"+digestUp[2:]), `"+1"`},
		{"upper-case hex", changed(3, "spec FF"+digestDown[2:]), `"FF", want hex digits`},
		{"complete maybe", changed(4, "complete maybe"), `"maybe", want yes or no`},
		{"incomplete with programs", changed(4, "complete no"), "incomplete"},
		{"unknown kind", changed(5, "prog x id 1"), "want the end, or a map"},
		{"an empty line", changed(5, ""), "want the end, or a map"},
		{"no id", changed(7, "map flows"), "want the end"},
		{"id without number", changed(7, "map flows id "), "id is \"\""},
		{"id 0", changed(7, "map flows id 0"), "id 0"},
		{"id of 33 bits", changed(7, "map flows id 4294967296"), "at most 32 bits"},
		{"id with zeros", changed(7, "map flows id 019"), "not written"},
		{"bad name", changed(7, "map fl.ows id 19"), "0x2e"},
		{"long name", changed(7, "map "+strings.Repeat("x", 256)+" id 19"), "limit of 255"},
		{"empty name", changed(7, "map  id 19"), "lacks a name"},
		{"reserved name", changed(7, "map %record id 19"), "reserves"},
		{"target of a map", changed(7, "map flows@eth0 id 19"), "target"},
		{"unknown word", changed(7, "map flows id 19 mine"), `has "mine" after the id`},
		{"sharedness run on", changed(7, "map flows id 19 sharedat x"), "after the id"},
		{"space at the end", changed(7, "map flows id 19 "), "not written"},
		{"space after shared", changed(7, "map flows id 19 shared "), "not written"},
		{"shared after path", changed(7, "map flows id 19 at x shared"), "0x20"},
		{"empty path", changed(7, "map flows id 19 at "), "not written"},
		{"path that leaves", changed(7, "map flows id 19 at %2E%2E/x"), `".."`},
		{"raw dots", changed(7, "map flows id 19 at ../x"), "0x2e"},
		{"escaped slash", changed(7, "map flows id 19 at a%2Fb"), "not written"},
		{"absolute path", changed(7, "map flows id 19 at /x"), "empty component"},
		{"NUL in a path", changed(7, "map flows id 19 at a%00"), "NUL"},
		{"pin twice", changed(7, "map events id 18 shared"), "twice"},
		{"order", append(changed(5), flowLines[5]), "not written as Pinion writes it"},
		{"an end too early", changed(7, "end "+sumOf(flowLines[:7])), "goes on after its end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := pinning.DecodeRecord([]string{sealed(c.lines...)})
			wantRecordError(t, err, c.says)
			if diff := cmp.Diff(pinning.Record{}, got); diff != "" {
				t.Error("a record with an error:", diff)
			}
		})
	}
}

func TestDecodeRecordRefusesText(t *testing.T) {
	whole := sealed(flowLines...)
	header, body, _ := strings.Cut(whole, "\n")
	for _, c := range []struct {
		name  string
		parts []string
		says  string
	}{
		{"nothing", nil, "has no part"},
		{"empty", []string{""}, "as no record of Pinion does"},
		{"foreign", []string{"/etc/passwd"}, `"/etc/passwd"`},
		{"long foreign", []string{strings.Repeat("x", 1<<20)}, "as no record of Pinion does"},
		{"no version", []string{"pinion record part 1 of 1"}, "as no record"},
		{"version 0", []string{"pinion record 0 part 1 of 1"}, "as no record"},
		{"huge version", []string{"pinion record 99999999999999999999 part 1 of 1"}, "as no record"},
		{"zeros before the version", []string{"pinion record 01 part 1 of 1\n" + body}, "want"},
		{"no parts", []string{"pinion record 1 part 1 of 0\n" + body}, "want"},
		{"too many parts", []string{"pinion record 1 part 1 of 1000\n" + body}, "up to 999"},
		{"huge count", []string{"pinion record 1 part 1 of 99999999999999999999\n" + body}, "want"},
		{"not the first", []string{"pinion record 1 part 2 of 2\n" + body}, "want"},
		{"only a header", []string{header}, "ends too early"},
		{"no end", []string{strings.Join(append([]string{header}, flowLines...), "\n")}, "ends too early"},
		{"cut off", []string{whole[:len(whole)-1]}, "the sum is"},
		{"changed", []string{strings.Replace(whole, "id 19", "id 20", 1)}, "a part is damaged"},
		{"newline at the end", []string{whole + "\n"}, "not written"},
		{"more lines", []string{whole + "\nmap x id 1"}, "goes on after its end"},
		{"too long", []string{whole + "\n" + strings.Repeat("x", 4096)}, "line 1: is "},
		{"part missing", []string{"pinion record 1 part 1 of 2\n" + body}, "consists of 2 parts, 1 are here"},
		{"part too many", []string{whole, whole}, "consists of 1 parts, 2 are here"},
		{"part of another record", []string{"pinion record 1 part 1 of 2\n" + body, whole}, "goes on after its end"},
		{"second part without header", []string{"pinion record 1 part 1 of 2\n" + flowLines[0], flowLines[1]}, "%record1, line 1: is \"generation 3\", want \"pinion record 1 part 2 of 2\""},
		{"divided too early", []string{
			"pinion record 1 part 1 of 2\n" + flowLines[0],
			"pinion record 1 part 2 of 2\n" + strings.Join(flowLines[1:], "\n") + "\nend " + sumOf(flowLines),
		}, "not written as Pinion writes it"},
		{"an empty part", []string{"pinion record 1 part 1 of 2", "pinion record 1 part 2 of 2\n" + body}, "not written as Pinion writes it"},
		{"newlines", []string{header + strings.Repeat("\n", 4000)}, "line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := pinning.DecodeRecord(c.parts)
			wantRecordError(t, err, c.says)
		})
	}
}

func TestRecordOfNewerPinion(t *testing.T) {
	for _, first := range []string{
		"pinion record 2 part 1 of 1\nanything", "pinion record 2", "pinion record 2 in another form\nx", "pinion record 2147483647 part 1 of 1",
	} {
		_, err := pinning.DecodeRecord([]string{first})
		var re *pinning.RecordError
		if !errors.As(err, &re) || !errors.Is(err, pinning.ErrRecordVersion) || errors.Is(err, pinning.ErrRecord) {
			t.Fatalf("%q: error %v, want ErrRecordVersion", first, err)
		}
		version := strings.Fields(first)[2]
		if text := err.Error(); !strings.Contains(text, "version "+version+",") || !strings.Contains(text, "writes version 1:") {
			t.Errorf("error %q does not tell both versions", text)
		}
	}
}

// bigRecord has n programs with links and maps, whose names are as long as they may be.
func bigRecord(n int) pinning.Record {
	r := pinning.Record{Version: pinning.RecordVersion, Object: strings.Repeat("o", 248), Generation: 1<<64 - 1, Complete: true}
	for kind := pinning.KindMap; kind <= pinning.KindLink; kind++ {
		for i := range n {
			number := strconv.Itoa(100000 + i)
			p := pinning.RecordedPin{Kind: kind, Name: strings.Repeat("x", 249) + number, ID: 1<<32 - 1}
			if i%10 == 0 {
				p.Path, p.Shared = strings.Repeat("%/", 760)+kind.Dir()+number, true
			}
			r.Pins = append(r.Pins, p)
		}
	}
	return r
}

func TestRecordInManyParts(t *testing.T) {
	want := bigRecord(300)
	parts, err := pinning.EncodeRecord(want)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range parts {
		if len(part) > 4095 || strings.ContainsRune(part, 0) {
			t.Errorf("part %d of %d bytes is no target of a symbolic link", i, len(part))
		}
	}
	n, err := pinning.RecordParts(parts[0])
	if err != nil || n != len(parts) || n < 100 {
		t.Errorf("RecordParts says %d, %v; there are %d", n, err, len(parts))
	}
	got, err := pinning.DecodeRecord(parts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i := range parts {
		_, err := pinning.DecodeRecord(slices.Delete(slices.Clone(parts), i, i+1))
		wantRecordError(t, err, "")
	}
	swapped := slices.Clone(parts)
	swapped[3], swapped[4] = swapped[4], swapped[3]
	_, err = pinning.DecodeRecord(swapped)
	wantRecordError(t, err, "%record3, line 1")

	want.Generation-- // of the same length: only the sum can tell
	older, err := pinning.EncodeRecord(want)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pinning.DecodeRecord(append([]string{older[0]}, parts[1:]...))
	wantRecordError(t, err, "of another record")
}

// A symbolic link holds 4095 bytes, of which a header of three-digit numbers takes 31.
func TestRecordFillsParts(t *testing.T) {
	for _, c := range []struct{ nameLength, want int }{
		{231, 31 + 16*254}, // 4095 bytes: 16 lines just fit
		{248, 31 + 14*271}, // a 15th line would make it 4096
	} {
		r := pinning.Record{Version: pinning.RecordVersion, Object: "o", Complete: true}
		for i := range 16 * 110 {
			name := strings.Repeat("x", c.nameLength-6) + strconv.Itoa(100000+i)
			r.Pins = append(r.Pins, pinning.RecordedPin{Kind: pinning.KindProgram, Name: name, ID: 1<<32 - 1})
		}
		parts, err := pinning.EncodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		// Not the last part, which is not full, and not the first, which holds more than pins.
		if n := len(parts) - 2; n < 100 || len(parts[n]) != c.want {
			t.Errorf("names of %d bytes: part %d has %d bytes, want %d", c.nameLength, n, len(parts[n]), c.want)
		}
		if _, err := pinning.DecodeRecord(parts); err != nil {
			t.Error(err)
		}
	}
}

func TestRecordTooBig(t *testing.T) {
	_, err := pinning.EncodeRecord(bigRecord(5000))
	wantRecordError(t, err, "over the limit of 999")
}

// The longest lines there can be have to fit into a part.
func TestLongestLine(t *testing.T) {
	r := pinning.Record{Version: pinning.RecordVersion, Object: "o", Complete: true}
	p := pinning.RecordedPin{Kind: pinning.KindProgram, Name: strings.Repeat("x", 255), ID: 1<<32 - 1, Shared: true}
	p.Path = strings.Repeat("%/", 767) + "xyza"
	r.Pins = append(r.Pins, p)
	parts, err := pinning.EncodeRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pinning.DecodeRecord(parts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, got); diff != "" {
		t.Error(diff)
	}
}

func randomRecord(r *rand.Rand) pinning.Record {
	record := pinning.Record{
		Version: pinning.RecordVersion, Object: "o" + awkward(r), Instance: awkward(r),
		Generation: r.Uint64(), Complete: true,
	}
	r.Read(record.ELF[:])
	r.Read(record.Spec[:])
	for i, t := range randomThings(r) {
		p := pinning.RecordedPin{Kind: t.Kind, Name: t.Name, Target: t.Target, ID: r.Uint32() | 1, Shared: r.Intn(4) == 0}
		if r.Intn(4) == 0 {
			p.Path = "elsewhere " + strconv.Itoa(i) + "/" + pinning.Escape(awkward(r)) + "~"
		}
		record.Pins = append(record.Pins, p)
	}
	slices.SortFunc(record.Pins, func(a, b pinning.RecordedPin) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return slices.Compare([]string{a.Name, a.Target}, []string{b.Name, b.Target})
	})
	return record
}

func TestRecordRoundTrip(t *testing.T) {
	r := rand.New(rand.NewSource(8))
	for range rounds(500) {
		want := randomRecord(r)
		parts, err := pinning.EncodeRecord(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pinning.DecodeRecord(parts)
		if err != nil {
			t.Fatalf("%q: %v", parts, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

// One byte changed anywhere must not go unnoticed.
func TestRecordNoticesEveryByte(t *testing.T) {
	whole := sealed(flowLines...)
	for i := range whole {
		for _, flip := range []byte{1, 0x20, 0x80} {
			b := []byte(whole)
			b[i] ^= flip
			if _, err := pinning.DecodeRecord([]string{string(b)}); err == nil {
				t.Errorf("byte %d changed from %q to %q goes unnoticed", i, whole[i], b[i])
			}
		}
	}
}

// FuzzRecord wants no panic, and that what is read is written again to the byte. The text is also tried with the right sum, because a
// fuzzer does not find that by itself.
func FuzzRecord(f *testing.F) {
	f.Add(sealed(flowLines...))
	f.Add(strings.Join(flowLines, "\n"))
	f.Add("tree o\ngeneration 0\nelf " + digestUp + "\nspec " + digestUp + "\ncomplete no\nmap a id 1")
	f.Add("pinion record 2 part 1 of 1")
	if parts, err := pinning.EncodeRecord(bigRecord(5)); err == nil {
		f.Add(strings.Join(parts, "\x00"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parts := range [][]string{strings.Split(text, "\x00"), {sealed(strings.Split(text, "\n")...)}} {
			r, err := pinning.DecodeRecord(parts)
			if err != nil {
				if !errors.Is(err, pinning.ErrRecord) && !errors.Is(err, pinning.ErrRecordVersion) {
					t.Errorf("%q: error %v is no RecordError", parts, err)
				}
				continue
			}
			checkSafe(t, r)
			again, err := pinning.EncodeRecord(r)
			if diff := cmp.Diff(parts, again); err != nil || diff != "" {
				t.Error(diff, err)
			}
		}
	})
}

// checkSafe wants every name of a decoded record to give a usable file name, and every path to stay below the root.
func checkSafe(t *testing.T, r pinning.Record) {
	t.Helper()
	tree, err := pinning.TreeName(r.Object, r.Instance)
	if err != nil {
		t.Error(err)
	}
	var pins []pinning.Pin
	for _, p := range r.Pins {
		for c := range strings.SplitSeq(p.Place(tree), "/") {
			if c == "" || len(c) > 255 || strings.ContainsAny(c, ".\x00") || pinning.IsReserved(c) {
				t.Errorf("%v has the unusable component %q in its place", p, c)
			}
		}
		if p.ID == 0 {
			t.Errorf("%v has no id", p)
		}
		pins = append(pins, pinning.Pin{Kind: p.Kind, Name: p.Name, Target: p.Target, Path: p.Place(tree)})
	}
	checkDisjoint(t, pins)
}

func BenchmarkRecord(b *testing.B) {
	r := pinning.Record{Version: pinning.RecordVersion, Object: "flow", Complete: true}
	for i := range 40 {
		r.Pins = append(r.Pins, pinning.RecordedPin{Kind: pinning.Kind(i%3 + 1), Name: "some_longer_name_" + strconv.Itoa(i), ID: uint32(i + 1)})
	}
	parts, err := pinning.EncodeRecord(r)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := pinning.EncodeRecord(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := pinning.DecodeRecord(parts); err != nil {
				b.Fatal(err)
			}
		}
	})
}
