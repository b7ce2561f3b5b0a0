package sys

import "strings"

// nameAt gives element i of a list with commas between its elements, "" if the list is shorter. A string costs a binary that
// never prints a name nothing; a table of strings would cost it relocations.
func nameAt(list string, i uint32) string {
	for ; i > 0; i-- {
		_, rest, found := strings.Cut(list, ",")
		if !found {
			return ""
		}
		list = rest
	}
	name, _, _ := strings.Cut(list, ",")
	return name
}
