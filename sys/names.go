package sys

import "github.com/pinion-bpf/pinion/internal/text"

// nameAt gives element i of a list with commas between its elements, "" if the list is shorter. A string costs a binary that
// never prints a name nothing; a table of strings would cost it relocations.
func nameAt(list string, i uint32) string {
	for ; i > 0; i-- {
		_, rest, found := text.Cut(list, ',')
		if !found {
			return ""
		}
		list = rest
	}
	name, _, _ := text.Cut(list, ',')
	return name
}
