package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testvm"
	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/report"
)

// progress shows what happens. On a terminal, its last lines tell what each kernel does just now, and how long it has been at it; else
// there is a line for each package and kernel when it is over.
type progress struct {
	lock    sync.Mutex
	to      io.Writer
	width   int // of the terminal, 0 if it is none
	order   []string
	now     map[string]*activity // by kernel, "" for what comes before them
	shown   int                  // lines of the terminal that are to be overwritten
	stop    chan struct{}
	stopped sync.WaitGroup
}

// activity is what a kernel is at.
type activity struct {
	what  string
	test  string
	since time.Time
}

func newProgress(to io.Writer, found []kernels.Kernel) *progress {
	p := &progress{to: to, width: terminalWidth(to), order: []string{""}, now: make(map[string]*activity), stop: make(chan struct{})}
	for _, k := range found {
		p.order = append(p.order, k.Line)
	}
	if p.width > 0 {
		p.stopped.Go(p.tick)
	}
	return p
}

// terminalWidth gives how many columns a terminal has, 0 of what is none.
func terminalWidth(to io.Writer) int {
	file, ok := to.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	if size.Col == 0 {
		return 80
	}
	return int(size.Col)
}

// tick draws again while nothing happens, so that the times go on.
func (p *progress) tick() {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.lock.Lock()
			p.draw()
			p.lock.Unlock()
		}
	}
}

// event takes what happens from the engine.
func (p *progress) event(e testvm.Event) {
	p.lock.Lock()
	defer p.lock.Unlock()
	switch {
	case e.Result != nil:
		p.print(resultLine(e.Kernel, e.Result))
		return
	case e.Doing == "off":
		delete(p.now, e.Kernel)
	case e.Test != "" && p.now[e.Kernel] != nil:
		p.now[e.Kernel].test = e.Test
	default:
		p.now[e.Kernel] = &activity{what: strings.TrimSpace(e.Doing + " " + e.Package), since: time.Now()}
	}
	if e.Kernel != "" {
		delete(p.now, "")
	}
	p.draw()
}

// console takes a line of a kernel.
func (p *progress) console(kernel, line string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.print(kernel + " | " + line)
}

// print writes a line that stays.
func (p *progress) print(line string) {
	p.erase()
	fmt.Fprintln(p.to, line)
	p.draw()
}

func (p *progress) erase() {
	if p.shown > 0 {
		fmt.Fprintf(p.to, "\x1b[%dA\x1b[J", p.shown)
		p.shown = 0
	}
}

func (p *progress) draw() {
	if p.width == 0 {
		return
	}
	p.erase()
	for _, kernel := range p.order {
		a := p.now[kernel]
		if a == nil {
			continue
		}
		line := fmt.Sprintf("%-6s %5.1f s  %s %s", kernel, time.Since(a.since).Seconds(), a.what, a.test)
		runes := []rune(line)
		fmt.Fprintln(p.to, string(runes[:min(len(runes), p.width-1)]))
		p.shown++
	}
}

// end takes away what does not stay.
func (p *progress) end() {
	close(p.stop)
	p.stopped.Wait()
	p.lock.Lock()
	defer p.lock.Unlock()
	p.erase()
	p.now = nil
}

// resultLine tells how a package went on a kernel.
func resultLine(kernel string, r *report.Result) string {
	word := "ok  "
	switch r.Status() {
	case report.Fail:
		word = "FAIL"
	case report.Skip:
		word = "skip"
	}
	return fmt.Sprintf("%s  %-6s %s  %s  %.1f s", word, kernel, r.Package, r.Summary(), r.Took.Seconds())
}
