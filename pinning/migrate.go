//go:build linux

package pinning

import "github.com/pinion-bpf/pinion/object"

// Migrate gives the migration that copies the entries of a map into the new one, converted by a function, or with nil as they are, longer values ending in zeros. Keys
// and values are as [object.Copy] has them; of global data the variables that both builds have are copied, by name, and the function is not asked.
//
// The entries are copied while the old programs run, once more just before the links are switched, and once more after the swap, without overwriting, for what the old programs
// added until then. What they change in arrays between the second sweep and the switch is lost. The counts are in UpgradeStep.Copied.
func Migrate(convert object.Converter) *Migration {
	return &Migration{convert: convert, copy: object.Copy, again: object.CopyAgain, missing: object.CopyMissing, data: object.CopyVariables}
}

// run copies, variables or entries: everything and what changed meanwhile; or, at last, what is missing.
func (m *Migration) run(data, last bool, from, to *object.Map) (count object.CopyCount, err error) {
	if data {
		if !last {
			count, err = m.data(from, to)
		}
		return count, err
	}
	if last {
		return m.missing(from, to, m.convert)
	}
	if count, err = m.copy(from, to, m.convert); err != nil {
		return count, err
	}
	more, err := m.again(from, to, m.convert)
	addSweep(&count, &more)
	return count, err
}

// addSweep counts one more sweep of the same map. What is left out, each sweep meets and counts again.
func addSweep(count, more *object.CopyCount) {
	count.Copied += more.Copied
	count.Changed += more.Changed
	count.Added += more.Added
	count.Dropped = max(count.Dropped, more.Dropped)
}
