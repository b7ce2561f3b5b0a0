package object

// RingSize is what rounds the sizes of ring buffers.
func RingSize(size, page uint32) uint32 { return ringSize(size, page) }

// LogReason is what finds the reason in a verifier's log.
func LogReason(log string) string { return logReason(log) }

// PerCPUSize is the size of a value of a per-CPU map.
func PerCPUSize(size, cpus int) int { return perCPUSize(size, cpus) }

// LastInstruction finds the last instruction in a verifier's log, -1 if there is none.
func LastInstruction(log string) int {
	insn, found := lastInstruction(log)
	if !found {
		return -1
	}
	return int(insn)
}

// AdviseVerifier says what to do about a reason of the verifier's.
func AdviseVerifier(reason string, p *ProgramSpec, license string) string {
	return adviseVerifier(reason, p, license)
}

const NewestHelper = newestHelper

// HelperSince tells which Linux brought a helper, "" for those of 5.10.
func HelperSince(helper uint64) string {
	for _, since := range helperSince {
		if helper >= uint64(since.first) {
			return since.linux
		}
	}
	return ""
}

// KernelFeature is one of those that may be lacking.
type KernelFeature struct {
	Linux, What string
	Lack        func() string
}

func Features() (all []KernelFeature) {
	for i, f := range features {
		all = append(all, KernelFeature{f.linux, f.what, func() string { return lack(i) }})
	}
	return all
}
