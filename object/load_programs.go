package object

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// loadPrograms loads the programs with Autoload, several at once.
func (l *loader) loadPrograms() error {
	var err error
	if l.license, err = sys.CString(l.spec.License); err != nil {
		return badSpec(text.Form("the license {} has a NUL in it").Quote(l.spec.License).String())
	}
	q := programQueue{loader: l, assembler: newAssembler(l.spec, l.fixes, l.ksyms), failed: -1}
	count := 0
	for _, p := range l.spec.Programs {
		if p.Autoload {
			count++
		}
	}
	workers := l.opts.Workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	helpers := max(min(workers, count)-1, 0)
	done := make(chan struct{})
	for range helpers {
		go func() {
			q.work()
			done <- struct{}{}
		}()
	}
	q.work()
	for range helpers {
		<-done
	}
	return q.err
}

// programQueue gives programs to goroutines in the order of the spec. So whatever comes before a program that fails has been given out too, and the
// first error is the same for any number of goroutines.
type programQueue struct {
	loader *loader

	mu        sync.Mutex // guards what follows
	assembler *assembler
	next      int   // the program to look at next
	failed    int   // the first program that failed, -1 if none has
	err       error // why
}

// work loads programs until there are none, or one has failed.
func (q *programQueue) work() {
	for {
		index, m, err := q.take()
		if index < 0 {
			return
		}
		if err == nil {
			err = q.loader.loadProgram(index, m)
		}
		if err != nil {
			q.fail(index, err)
		}
	}
}

// take puts the next program together, and returns its index, -1 if there is none.
func (q *programQueue) take() (int, *image, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	programs := q.loader.spec.Programs
	for q.next < len(programs) && !programs[q.next].Autoload {
		q.next++
	}
	if q.next == len(programs) || q.failed >= 0 {
		return -1, nil, nil
	}
	index := q.next
	q.next++
	m, err := q.assembler.assemble(programs[index])
	return index, m, err
}

func (q *programQueue) fail(index int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failed < 0 || index < q.failed {
		q.failed, q.err = index, err
	}
}

// loadProgram loads one program, and binds to it the constants that it does not use.
func (l *loader) loadProgram(index int, m *image) error {
	for _, fixup := range m.maps {
		m.setMap(fixup, l.maps[fixup.spec].FD().Int())
	}
	p := l.spec.Programs[index]
	tables, err := l.makeJumpTables(m)
	defer func() {
		for _, fd := range tables {
			fd.Close()
		}
	}()
	if err != nil {
		return sys.Fail("load", p.where(), err, "")
	}
	attr := l.programAttr(p, m)
	if l.targets != nil {
		attr.AttachBTFID, attr.AttachProgFD = l.targets[index].id, uint32(l.targets[index].fd)
	}
	fd, err := l.withMemlock(func() (*sys.FD, error) { return sys.ProgLoad(attr) })
	if err != nil {
		if fd, err = l.loadWithLog(p, m, attr, err); err != nil {
			return err
		}
	}
	if l.programs[index], err = NewProgram(p.Name, fd); err != nil {
		return err
	}
	return l.bindConstants(p, fd, m)
}

func (l *loader) programAttr(p *ProgramSpec, m *image) *sys.ProgLoadAttr {
	attr := &sys.ProgLoadAttr{
		ProgType:           p.Type,
		ExpectedAttachType: p.AttachType,
		ProgFlags:          p.Flags,
		ProgName:           sys.NewObjName(p.Name),
		Insns:              sys.Slice(m.insns),
		InsnCnt:            uint32(m.count()),
		License:            l.license,
		KernVersion:        l.spec.Version,
	}
	token, flag := l.opts.Token.attr()
	attr.ProgTokenFD, attr.ProgFlags = token, attr.ProgFlags|flag
	if len(l.fdArray) > 0 {
		attr.FDArray = sys.Slice(l.fdArray)
	}
	if l.btf == nil {
		return attr
	}
	attr.ProgBTFFD = l.btf.Attr()
	if len(m.funcInfo) > 0 {
		attr.FuncInfo, attr.FuncInfoRecSize, attr.FuncInfoCnt = sys.Slice(m.funcInfo), m.funcInfoSize, uint32(len(m.funcInfo))/m.funcInfoSize
	}
	if len(m.lineInfo) > 0 {
		attr.LineInfo, attr.LineInfoRecSize, attr.LineInfoCnt = sys.Slice(m.lineInfo), m.lineInfoSize, uint32(len(m.lineInfo))/m.lineInfoSize
	}
	return attr
}

// loadWithLog tries once more a program that was refused, to learn why. The errno that counts is that of the first time.
func (l *loader) loadWithLog(p *ProgramSpec, m *image, attr *sys.ProgLoadAttr, first error) (*sys.FD, error) {
	fail := &sys.Error{Op: "load", Thing: p.where(), Err: first, Do: adviseLoad(first, capabilities(p.Type))}
	if first == unix.EMFILE || first == unix.ENFILE {
		return nil, fail
	}
	attr.LogLevel = max(l.opts.LogLevel, 1)
	fd, log, err := withLog(func(log []byte) (*sys.FD, uint32, error) {
		attr.LogBuf, attr.LogSize = sys.Slice(log), uint32(len(log))
		fd, err := sys.ProgLoad(attr)
		return fd, attr.LogTrueSize, err
	})
	switch {
	case err == nil:
		return fd, nil
	case log == "" || isStatistics(log): // the program did not get as far as the verifier
		if mayLack(first) {
			fail.Do = p.lackOfProgram()
		}
		return nil, fail
	}
	refused := &VerifierError{Program: p.Name, Section: p.Section, Log: log, Err: first}
	l.explain(refused, p, m)
	return nil, refused
}

// bindConstants ties to a program the maps of constants that no instruction of it uses, so that they live as long as it does, for tools to
// read: as libbpf does it. Linux 5.10.
func (l *loader) bindConstants(p *ProgramSpec, fd *sys.FD, m *image) error {
	for i, spec := range l.spec.Maps {
		if spec.Data == nil || !spec.Freeze || spec.Name == kconfigName || m.uses(i) {
			continue
		}
		if err := sys.ProgBindMap(&sys.ProgBindMapAttr{ProgFD: fd.Attr(), MapFD: l.maps[i].FD().Attr()}); err != nil {
			return sys.Fail(text.Form("bind map {} to program").Quote(spec.Name).String(), text.Quote(p.Name), err, "")
		}
	}
	return nil
}

// uses reports whether an instruction refers to a map, by its index in Spec.Maps.
func (m *image) uses(spec int) bool {
	for _, fixup := range m.maps {
		if int(fixup.spec) == spec {
			return true
		}
	}
	return false
}
