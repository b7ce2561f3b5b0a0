package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
)

// stride gives where the value of the next CPU begins, and copies how many CPUs have one.
func (m *Map) stride() int { return perCPUSize(int(m.info.ValueSize), 1) }

func (m *Map) copies() int {
	if !perCPU(m.info.Type) {
		return 1
	}
	return m.valueSize / m.stride()
}

// convertInto makes an entry of the new map, CPU by CPU, and reports whether there is to be one.
func (c *copier) convertInto(newKey, newValue, key, value []byte) (bool, error) {
	clear(newValue)
	size, kept := int(c.from.info.ValueSize), false
	for cpu := range min(c.from.copies(), c.to.copies()) {
		part := value[cpu*c.from.stride():][:size:size]
		copy(c.key, key) // the Converter may change what it gets
		k, v, keep, err := c.convertPart(c.key, part)
		if err != nil {
			return false, err
		}
		if !keep {
			continue
		}
		if kept && string(k) != string(newKey) {
			return false, copyError(c.from, c.to, unix.EINVAL, text.Form("the Converter gave another key for CPU {} than for those before").Int(cpu).String())
		}
		copy(newKey, k)
		copy(newValue[cpu*c.to.stride():], v)
		kept = true
	}
	return kept, nil
}

// convertPart calls the Converter, and checks what it gives.
func (c *copier) convertPart(key, value []byte) (newKey, newValue []byte, keep bool, err error) {
	if c.convert == nil {
		return key, value, true, nil
	}
	newKey, newValue, keep, err = c.convert(key, value)
	if err != nil {
		return nil, nil, false, copyError(c.from, c.to, err, "the Converter refused an entry")
	}
	if keep && (len(newKey) != c.to.KeySize() || len(newValue) != int(c.to.info.ValueSize)) {
		return nil, nil, false, copyError(c.from, c.to, unix.EINVAL,
			text.Form("the Converter gave a key of {} bytes and a value of {}; the new map has {} and {}").
				Int(len(newKey)).Int(len(newValue)).Int(c.to.KeySize()).Uint(uint64(c.to.info.ValueSize)).String())
	}
	return newKey, newValue, keep, nil
}

// lookUp reads what the new map has for a key, into c.have, and reports whether there is anything.
func (c *copier) lookUp(key []byte) (bool, error) {
	if c.present != nil {
		if _, there := c.present[c.prefix(key)]; !there {
			return false, nil
		}
	}
	switch err := c.to.lookup(key, c.have, c.flags); err {
	case nil:
	case unix.ENOENT:
		return false, nil
	default:
		return false, err
	}
	// What lies between the values of two CPUs means nothing.
	size, stride := int(c.to.info.ValueSize), c.to.stride()
	if perCPU(c.to.info.Type) && size != stride {
		for rest := c.have; len(rest) > 0; rest = rest[stride:] {
			clear(rest[size:stride])
		}
	}
	return true, nil
}

// prefix gives an LPM trie's key as c.present has it.
func (c *copier) prefix(key []byte) string {
	copy(c.masked, key)
	return string(maskPrefix(c.masked))
}
