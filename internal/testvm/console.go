package testvm

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A console keeps what a kernel says, and watches for what it says when it is in trouble.
type console struct {
	lock    sync.Mutex
	rest    []byte
	lines   []string
	trouble []string
	tee     func(string) // gets each line as it comes, may be nil
}

// maxLines is how many of the last lines are kept.
const maxLines = 2000

var (
	// troubled is how the kernel begins to tell of a fault of its own, as opposed to a driver that tells of the machine's.
	troubled = regexp.MustCompile(`\b(BUG|WARNING): |\bOops\b`)
	// harmless warns of the machine, in the words of a fault.
	harmless = regexp.MustCompile(`WARNING: Unprivileged eBPF is enabled|WARNING: CPU is not|WARNING: Spectre`)
	panicked = regexp.MustCompile(`Kernel panic - not syncing: (.*)`)
	// noMemory is how a panic says that the OOM killer found nothing more to kill.
	noMemory = regexp.MustCompile(`(?i)out of memory|deadlocked on memory`)
)

func (c *console) Write(data []byte) (int, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.rest = append(c.rest, data...)
	for {
		end := bytes.IndexByte(c.rest, '\n')
		if end < 0 {
			return len(data), nil
		}
		c.line(printable(c.rest[:end]))
		c.rest = c.rest[end+1:]
	}
}

func (c *console) line(line string) {
	c.lines = append(c.lines, line)
	if len(c.lines) > 2*maxLines {
		c.lines = slices.Clone(c.lines[maxLines:])
	}
	if troubled.MatchString(line) && !harmless.MatchString(line) {
		c.trouble = append(c.trouble, line)
	}
	if c.tee != nil {
		c.tee(line)
	}
}

// printable leaves out what a terminal would take for a command.
func printable(line []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, string(line))
}

// takeTrouble gives the lines that tell of faults, those since it was last asked.
func (c *console) takeTrouble() []string {
	c.lock.Lock()
	defer c.lock.Unlock()
	trouble := c.trouble
	c.trouble = nil
	return trouble
}

// panic gives the reason of the kernel's panic.
func (c *console) panic() (reason string, ok bool) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, line := range append(slices.Clone(c.lines), printable(c.rest)) {
		if m := panicked.FindStringSubmatch(line); m != nil {
			return m[1], true
		}
	}
	return "", false
}

// words gives what matters of the last that the kernel said: what is around its first fault or panic, else the end.
func (c *console) words() string {
	const before, after = 12, 28
	c.lock.Lock()
	defer c.lock.Unlock()
	lines := slices.Clone(c.lines)
	if len(c.rest) > 0 {
		lines = append(lines, printable(c.rest))
	}
	at := slices.IndexFunc(lines, func(line string) bool {
		return panicked.MatchString(line) || troubled.MatchString(line) && !harmless.MatchString(line)
	})
	if at < 0 {
		at = len(lines)
	}
	return strings.Join(lines[max(0, min(at, len(lines)-after)-before):min(len(lines), at+after)], "\n")
}
