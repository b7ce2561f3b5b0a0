package object_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
	"golang.org/x/sys/unix"
)

// TestKernelTakesBTF loads the completed BTF of every object of this machine's byte order.
func TestKernelTakesBTF(t *testing.T) {
	testenv.Root(t)
	loaded := 0
	for _, file := range objects(t) {
		s, err := object.Open(file)
		if err != nil || s.CheckByteOrder() != nil || s.Name == "btf_refused" { // which is there for BTF that no kernel takes
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			testenv.Object(t, objectsDir, strings.TrimSuffix(filepath.Base(file), ".bpf.o"))
			if fd := loadBTF(t, s); fd != nil {
				loaded++
				fd.Close()
			}
		})
	}
	if loaded < 20 {
		t.Errorf("only %d objects had BTF", loaded)
	}
}

// loadBTF returns nil if the object has no BTF, or has externs that keep it from being loaded.
func loadBTF(t testing.TB, s *object.Spec) *sys.FD {
	t.Helper()
	raw, err := s.KernelBTF(true)
	if raw == nil {
		if err != nil && !errors.Is(err, object.ErrUnsupported) {
			t.Fatal(err)
		}
		return nil
	}
	log := make([]byte, 1<<16)
	attr := sys.BTFLoadAttr{BTF: sys.Slice(raw), BTFSize: uint32(len(raw))}
	fd, err := sys.BTFLoad(&attr)
	if err != nil {
		attr.BTFLogBuf, attr.BTFLogSize, attr.BTFLogLevel = sys.Slice(log), uint32(len(log)), 1
		_, err = sys.BTFLoad(&attr)
		t.Fatalf("%v\n%s", err, unix.ByteSliceToString(log))
	}
	return fd
}

// TestKernelTakesPrograms loads programs as they were put together, with their func_info and line_info: those that need no types of the kernel.
func TestKernelTakesPrograms(t *testing.T) {
	testenv.Root(t)
	for _, name := range []string{
		"counter", "counter_v2", "globals", "legacy", "many", "merged", "nobtf", "nobtf_maps", "optional", "perf_event", "sock_addr", "socket",
		"subprogs", "subprogs_5_13", "subprogs_5_17", "tailcall", "tcx", "tracepoint", "version", "xdp", "xdp_5_18",
	} {
		t.Run(name, func(t *testing.T) {
			testenv.Object(t, objectsDir, name)
			loadPrograms(t, open(t, name))
		})
	}
}

func loadPrograms(t *testing.T, s *object.Spec) {
	btf := loadBTF(t, s)
	defer btf.Close()
	maps := createMaps(t, s, btf)
	assembler := object.NewAssembler(s)
	for _, p := range s.Programs {
		if !p.Autoload {
			continue
		}
		m, err := assembler.Assemble(p.Name, func(m *object.MapSpec) int { return maps[m].Int() })
		if err != nil {
			t.Fatal(err)
		}
		if btf != nil && (len(m.FuncInfo) == 0 || len(m.LineInfo) == 0) {
			t.Errorf("%s: %d bytes of func_info, %d of line_info", p.Name, len(m.FuncInfo), len(m.LineInfo))
		}
		loadProgram(t, s, p, m, btf)
	}
}

func createMaps(t *testing.T, s *object.Spec, btf *sys.FD) map[*object.MapSpec]*sys.FD {
	maps := map[*object.MapSpec]*sys.FD{}
	for _, m := range s.Maps {
		attr := sys.MapCreateAttr{
			MapType: m.Type, KeySize: m.KeySize, ValueSize: m.ValueSize, MaxEntries: max(m.MaxEntries, 1), MapFlags: m.Flags,
			MapName: sys.NewObjName(m.Name),
		}
		if key, value := m.Types(); value != 0 && btf != nil {
			attr.BTFFD, attr.BTFKeyTypeID, attr.BTFValueTypeID = btf.Attr(), key, value
		}
		fd, err := sys.MapCreate(&attr)
		if err != nil {
			t.Fatalf("map %s: %v", m.Name, err)
		}
		t.Cleanup(func() { fd.Close() })
		maps[m] = fd
		if m.Data == nil {
			continue
		}
		var key uint32
		if err := sys.MapUpdateElem(&sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Ptr(&key), Value: sys.Slice(m.Data)}); err != nil {
			t.Fatal(err)
		}
	}
	return maps
}

func loadProgram(t *testing.T, s *object.Spec, p *object.ProgramSpec, m *object.Image, btf *sys.FD) {
	license, err := sys.CString(s.License)
	if err != nil {
		t.Fatal(err)
	}
	attr := sys.ProgLoadAttr{
		ProgType: p.Type, ExpectedAttachType: p.AttachType, ProgFlags: p.Flags, ProgName: sys.NewObjName(p.Name),
		Insns: sys.Slice(m.Insns), InsnCnt: uint32(len(m.Insns) / 8), License: license,
	}
	if btf != nil {
		attr.ProgBTFFD = btf.Attr()
		attr.FuncInfo, attr.FuncInfoRecSize, attr.FuncInfoCnt = sys.Slice(m.FuncInfo), m.FuncInfoSize, uint32(len(m.FuncInfo))/m.FuncInfoSize
		attr.LineInfo, attr.LineInfoRecSize, attr.LineInfoCnt = sys.Slice(m.LineInfo), m.LineInfoSize, uint32(len(m.LineInfo))/m.LineInfoSize
	}
	fd, err := sys.ProgLoad(&attr)
	if err == nil {
		fd.Close()
		return
	}
	log := make([]byte, 1<<20)
	attr.LogBuf, attr.LogSize, attr.LogLevel = sys.Slice(log), uint32(len(log)), 1
	_, again := sys.ProgLoad(&attr)
	text := strings.TrimSpace(unix.ByteSliceToString(log))
	t.Errorf("program %s: %v, %v\n%s", p.Name, err, again, text[max(0, len(text)-2000):])
}
