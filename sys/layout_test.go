package sys_test

import (
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/sys"
)

// layouts lists every structure with the line of testdata/uapi.txt that it must match. A field is found there by its name without
// underscores, after the prefix of the alternative that the structure stands for.
var layouts = []struct {
	line   string
	prefix string
	value  any
}{
	{"MAP_CREATE", "", sys.MapCreateAttr{}},
	{"MAP_*_ELEM / GET_NEXT_KEY / FREEZE", "", sys.MapElemAttr{}},
	{"MAP_*_ELEM / GET_NEXT_KEY / FREEZE", "", sys.MapNextKeyAttr{}},
	{"MAP_*_ELEM / GET_NEXT_KEY / FREEZE", "", sys.MapFreezeAttr{}},
	{"MAP_*_BATCH (batch)", "", sys.MapBatchAttr{}},
	{"PROG_LOAD", "", sys.ProgLoadAttr{}},
	{"OBJ_PIN / OBJ_GET", "", sys.ObjAttr{}},
	{"PROG_ATTACH / PROG_DETACH", "", sys.ProgAttachAttr{}},
	{"PROG_TEST_RUN (test)", "", sys.ProgTestRunAttr{}},
	{"*_GET_NEXT_ID / *_GET_FD_BY_ID", "", sys.GetIDAttr{}},
	{"*_GET_NEXT_ID / *_GET_FD_BY_ID", "", sys.GetFDByIDAttr{}},
	{"OBJ_GET_INFO_BY_FD (info)", "", sys.ObjInfoAttr{}},
	{"PROG_QUERY (query)", "", sys.ProgQueryAttr{}},
	{"RAW_TRACEPOINT_OPEN", "", sys.RawTracepointOpenAttr{}},
	{"BTF_LOAD", "", sys.BTFLoadAttr{}},
	{"TASK_FD_QUERY", "", sys.TaskFDQueryAttr{}},
	{"LINK_CREATE", "", sys.LinkCreateAttr{}},
	{"LINK_CREATE", "tracing", sys.LinkCreateTracingAttr{}},
	{"LINK_CREATE", "perf_event", sys.LinkCreatePerfEventAttr{}},
	{"LINK_CREATE", "kprobe_multi", sys.LinkCreateKprobeMultiAttr{}},
	{"LINK_CREATE", "uprobe_multi", sys.LinkCreateUprobeMultiAttr{}},
	{"LINK_CREATE", "netfilter", sys.LinkCreateNetfilterAttr{}},
	{"LINK_CREATE", "tcx", sys.LinkCreateRelativeAttr{}},
	{"LINK_CREATE", "netkit", sys.LinkCreateRelativeAttr{}},
	{"LINK_CREATE", "cgroup", sys.LinkCreateRelativeAttr{}},
	{"LINK_CREATE", "tracing_multi", sys.LinkCreateTracingMultiAttr{}},
	{"LINK_UPDATE", "", sys.LinkUpdateAttr{}},
	{"LINK_DETACH", "", sys.LinkDetachAttr{}},
	{"ENABLE_STATS", "", sys.EnableStatsAttr{}},
	{"ITER_CREATE", "", sys.IterCreateAttr{}},
	{"PROG_BIND_MAP", "", sys.ProgBindMapAttr{}},
	{"TOKEN_CREATE", "", sys.TokenCreateAttr{}},
	{"PROG_STREAM_READ_BY_FD", "", sys.ProgStreamReadAttr{}},
	{"PROG_ASSOC_STRUCT_OPS", "", sys.ProgAssocStructOpsAttr{}},
	{"bpf_map_info", "", sys.MapInfo{}},
	{"bpf_prog_info", "", sys.ProgInfo{}},
	{"bpf_btf_info", "", sys.BTFInfo{}},
	{"bpf_link_info", "", sys.LinkInfo{}},
	{"bpf_link_info", "raw_tracepoint", sys.RawTracepointLinkInfo{}},
	{"bpf_link_info", "tracing", sys.TracingLinkInfo{}},
	{"bpf_link_info", "cgroup", sys.CgroupLinkInfo{}},
	{"bpf_link_info", "iter", sys.IterLinkInfo{}},
	{"bpf_link_info", "netns", sys.NetnsLinkInfo{}},
	{"bpf_link_info", "tcx", sys.IfindexLinkInfo{}},
	{"bpf_link_info", "netkit", sys.IfindexLinkInfo{}},
	{"bpf_link_info", "sockmap", sys.MapLinkInfo{}},
	{"bpf_link_info", "netfilter", sys.NetfilterLinkInfo{}},
	{"bpf_link_info", "perf_event", sys.PerfEventLinkInfo{}},
	{"bpf_iter_link_info", "map", sys.MapIterInfo{}},
	{"bpf_iter_link_info", "cgroup", sys.CgroupIterInfo{}},
	{"bpf_iter_link_info", "task", sys.TaskIterInfo{}},
}

// other names fields that stand for several of the kernel's, or for one inside an alternative that has its type's name.
var other = map[string]string{
	"perf_event.PerfType":           "perf_event.type",
	"perf_event.Name":               "perf_event.tracepoint.tp_name",
	"perf_event.NameLen":            "perf_event.tracepoint.name_len",
	"kprobe_multi.KprobeMultiFlags": "kprobe_multi.flags",
	"uprobe_multi.UprobeMultiFlags": "uprobe_multi.flags",
	"netfilter.NetfilterFlags":      "netfilter.flags",
	"iter.MapID":                    "iter.map.map_id",
}

// members names the member of union bpf_attr that a line describes; lines not here describe members without a name.
var members = map[string]string{
	"MAP_*_BATCH (batch)":       "batch",
	"PROG_TEST_RUN (test)":      "test",
	"OBJ_GET_INFO_BY_FD (info)": "info",
	"PROG_QUERY (query)":        "query",
	"RAW_TRACEPOINT_OPEN":       "raw_tracepoint",
	"TASK_FD_QUERY":             "task_fd_query",
	"LINK_CREATE":               "link_create",
	"LINK_UPDATE":               "link_update",
	"LINK_DETACH":               "link_detach",
	"ENABLE_STATS":              "enable_stats",
	"ITER_CREATE":               "iter_create",
	"PROG_BIND_MAP":             "prog_bind_map",
	"TOKEN_CREATE":              "token_create",
	"PROG_STREAM_READ_BY_FD":    "prog_stream_read",
	"PROG_ASSOC_STRUCT_OPS":     "prog_assoc_struct_ops",
}

// isAttr tells the lines of union bpf_attr from those of other structures.
func isAttr(line string) bool { return !strings.HasPrefix(line, "bpf_") }

func TestLayoutMatchesTable(t *testing.T) {
	table := readTable(t)
	for _, l := range layouts {
		fields, ok := table[l.line]
		if !ok {
			t.Fatalf("testdata/uapi.txt has no line %q", l.line)
		}
		typ := reflect.TypeOf(l.value)
		want := fields[""].size
		if isAttr(l.line) {
			want = sys.AttrSize
		}
		if int(typ.Size()) != want {
			t.Errorf("%s has %d bytes, want %d", typ, typ.Size(), want)
		}
		for _, f := range flatten(typ) {
			key := fieldKey(l.prefix, f.name, fields)
			want, ok := fields[key]
			if !ok {
				t.Errorf("%s.%s: %s has no such field", typ, f.name, l.line)
				continue
			}
			if f.offset != want.offset || f.size != want.size {
				t.Errorf("%s.%s: %d bytes at %d, the kernel's %s has %d at %d", typ, f.name, f.size, f.offset, key, want.size, want.offset)
			}
		}
	}
}

// TestTableMatchesKernel holds the table against the running kernel's own types: what the kernel knows must lie where the table says.
func TestTableMatchesKernel(t *testing.T) {
	raw, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if os.IsNotExist(err) {
		t.Log("this kernel has no BTF of its own; the table alone holds")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	types, err := btf.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	known, compared := kernelFields(t, types), 0
	for line, fields := range readTable(t) {
		group := line
		if isAttr(line) {
			group = strings.TrimSuffix("bpf_attr."+squash(members[line]), ".")
		}
		for name, want := range fields {
			offsets, ok := known[group+"."+squash(name)]
			if name == "" || !ok {
				continue // a newer kernel's
			}
			compared++
			if !offsets[want.offset] {
				t.Errorf("%s.%s is at %v in this kernel, at %d in the table", line, name, offsets, want.offset)
			}
		}
	}
	if compared < 150 {
		t.Errorf("only %d fields of the table were found in this kernel's BTF: the comparison is broken", compared)
	}
}

type field struct {
	name         string
	offset, size int
}

func flatten(typ reflect.Type) []field {
	var out []field
	for i := range typ.NumField() {
		f := typ.Field(i)
		switch {
		case f.Anonymous:
			out = append(out, flatten(f.Type)...)
		case f.Name != "_":
			out = append(out, field{f.Name, int(f.Offset), int(f.Type.Size())})
		}
	}
	return out
}

func squash(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func fieldKey(prefix, name string, fields map[string]field) string {
	if named, ok := other[prefix+"."+name]; ok {
		return named
	}
	for _, wanted := range []string{squash(name), squash(prefix) + "." + squash(name)} {
		for key := range fields {
			if squash(key) == wanted {
				return key
			}
		}
	}
	return ""
}

var token = regexp.MustCompile(`[{}<>|,]|[^{}<>|,\s]+`)

var sizes = map[string]int{"u8": 1, "u16": 2, "u32": 4, "s32": 4, "u32(enum)": 4, "u64": 8, "u8[8]": 8, "char[16]": 16}

// readTable gives, for each line of testdata/uapi.txt, its fields by their dotted names, and its size under "".
func readTable(t *testing.T) map[string]map[string]field {
	t.Helper()
	text, err := os.ReadFile("testdata/uapi.txt")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^([A-Za-z_*/() ]+) \[(\d+)\]: (.*)$`)
	table := make(map[string]map[string]field)
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		size, _ := strconv.Atoi(m[2])
		fields := map[string]field{"": {size: size}}
		readFields(t, token.FindAllString(m[3], -1), fields)
		table[m[1]] = fields
	}
	return table
}

// readFields reads "name type@offset" pairs; a name before "{" prefixes what is inside.
func readFields(t *testing.T, words []string, fields map[string]field) {
	t.Helper()
	var path []string
	name := ""
	for _, w := range words {
		typ, at, isType := strings.Cut(w, "@")
		switch {
		case w == "{":
			path, name = append(path, name), ""
		case w == "}":
			path = path[:len(path)-1]
		case isType && strings.HasSuffix(at, "bit"): // gpl_compatible@84:1bit
			offset, _ := strconv.Atoi(strings.TrimSuffix(at, ":1bit"))
			fields[typ] = field{typ, offset, 4}
		case isType:
			offset, err := strconv.Atoi(at)
			if err != nil || sizes[typ] == 0 {
				t.Fatalf("testdata/uapi.txt: %q", w)
			}
			full := strings.TrimLeft(strings.Join(append(path[:len(path):len(path)], name), "."), ".")
			fields[full] = field{full, offset, sizes[typ]}
			name = ""
		case !strings.ContainsAny(w, "<>|,"):
			name = w
		}
	}
}

// kernelFields gives the offsets of every member, however deep, of the unions and structures that the table has, by group and
// squashed dotted name. Alternatives without a name add theirs to what is around them.
func kernelFields(t *testing.T, types *btf.Data) map[string]map[int]bool {
	t.Helper()
	known := make(map[string]map[int]bool)
	var walk func(id btf.ID, prefix string, base int)
	walk = func(id btf.ID, prefix string, base int) {
		typ := types.Resolve(id)
		if k := typ.Kind(); k != btf.KindStruct && k != btf.KindUnion {
			return
		}
		for _, m := range typ.Members() {
			offset := base + int(m.BitOffset/8)
			inner := prefix
			if m.Name != "" {
				inner = prefix + "." + squash(m.Name)
				if known[inner] == nil {
					known[inner] = make(map[int]bool)
				}
				known[inner][offset] = true
			}
			walk(m.Type, inner, offset)
		}
	}
	for _, name := range []string{"bpf_attr", "bpf_map_info", "bpf_prog_info", "bpf_btf_info", "bpf_link_info", "bpf_iter_link_info", "bpf_func_info", "bpf_line_info"} {
		for _, kind := range []btf.Kind{btf.KindUnion, btf.KindStruct} {
			if typ, ok := types.Find(kind, name); ok {
				walk(typ.ID(), name, 0)
			}
		}
	}
	return known
}
