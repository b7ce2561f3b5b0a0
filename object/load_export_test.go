package object

// RingSize is what rounds the sizes of ring buffers.
func RingSize(size, page uint32) uint32 { return ringSize(size, page) }

// LogReason is what finds the reason in a verifier's log.
func LogReason(log string) string { return logReason(log) }

// PerCPUSize is the size of a value of a per-CPU map.
func PerCPUSize(size, cpus int) int { return perCPUSize(size, cpus) }
