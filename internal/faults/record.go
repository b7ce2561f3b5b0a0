package faults

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// record is a tree's record, read by nothing that package pinning has.
type record struct {
	tree       string
	generation string
	elf        string // hex digits
	complete   bool
	pins       []recorded
}

// recorded is one line of it.
type recorded struct {
	kind, name string // "link", "ingress@eth0": escaped, as in the file name
	id         uint32
	shared     bool
	place      string // "" for that in the tree, else below the root
}

// path is where it is pinned, below the root, if the tree is at dir.
func (p *recorded) path(dir string) string {
	if p.place != "" {
		return p.place
	}
	return path.Join(dir, p.kind+"s", p.name)
}

// recordName gives the file name of part i, from 0.
func recordName(i int) string {
	if i == 0 {
		return "%record"
	}
	return "%record" + strconv.Itoa(i)
}

// readRecord reads the record of the tree at dir.
func (v View) readRecord(dir string) (*record, error) {
	var parts int
	var lines []string
	for i := 0; i == 0 || i < parts; i++ {
		text := v[dir+"/"+recordName(i)].Target
		head, rest, _ := strings.Cut(text, "\n")
		var part int
		if n, err := fmt.Sscanf(head, "pinion record 1 part %d of %d", &part, &parts); n != 2 || part != i+1 {
			return nil, fmt.Errorf("part %d begins with %q: %w", i, head, err)
		}
		lines = append(lines, strings.Split(rest, "\n")...)
	}
	return parseRecord(lines)
}

func parseRecord(lines []string) (*record, error) {
	r, sum := &record{}, fnv.New64a()
	fields := []*string{&r.tree, &r.generation, &r.elf, new(string), new(string)}
	for i, line := range lines {
		key, value, _ := strings.Cut(line, " ")
		if key == "end" {
			if want := fmt.Sprintf("%016x", sum.Sum64()); value != want || i != len(lines)-1 {
				return nil, fmt.Errorf("line %d of %d is %q, and the sum is %s", i+1, len(lines), line, want)
			}
			r.complete = *fields[4] == "yes"
			return r, nil
		}
		fmt.Fprintln(sum, line)
		if i < len(fields) {
			if want := strings.Fields("tree generation elf spec complete")[i]; key != want {
				return nil, fmt.Errorf("line %q, want %s", line, want)
			}
			*fields[i] = value
			continue
		}
		p, err := parsePin(line)
		if err != nil {
			return nil, err
		}
		r.pins = append(r.pins, p)
	}
	return nil, fmt.Errorf("no end after %d lines", len(lines))
}

// parsePin reads "kind name id number", then perhaps "shared", then perhaps "at path".
func parsePin(line string) (p recorded, err error) {
	words := strings.Split(line, " ")
	if len(words) < 4 || words[2] != "id" || words[0] != "map" && words[0] != "program" && words[0] != "link" {
		return p, fmt.Errorf("line %q is no pin", line)
	}
	id, err := strconv.ParseUint(words[3], 10, 32)
	p = recorded{kind: words[0], name: words[1], id: uint32(id)}
	rest := words[4:]
	if len(rest) > 0 && rest[0] == "shared" {
		p.shared, rest = true, rest[1:]
	}
	if len(rest) == 2 && rest[0] == "at" {
		p.place, err = url.PathUnescape(rest[1])
		rest = nil
	}
	if len(rest) > 0 {
		err = fmt.Errorf("line %q has more than a pin", line)
	}
	return p, err
}
