package object

import "golang.org/x/sys/unix"

// ReadByKey reads a map without batches.
func ReadByKey(m *Map) (map[string]string, error) {
	r, all := newMapReader(m, 0), map[string]string{}
	r.goByKey()
	for {
		key, value, err := r.entry()
		if err == unix.ENOENT {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all[string(key)] = string(value)
	}
}

// Meet meets keys until that is refused, and says how many they were.
func Meet(m *Map, key func(n uint32) []byte) (n int, err error) {
	r := newMapReader(m, 0)
	for ; err == nil && n < 1<<20; n++ {
		_, err = r.met(key(uint32(n)))
	}
	return n, err
}
