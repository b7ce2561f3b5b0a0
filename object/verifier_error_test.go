package object_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
)

// TestLogReason reads logs as kernels write them.
func TestLogReason(t *testing.T) {
	const processed = "processed 10 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n"
	for log, want := range map[string]string{
		"":        "",
		"\n\n":    "",
		processed: "",
		"8: (79) r0 = *(u64 *)(r0 +8)\ninvalid access to map value, value_size=8 off=8 size=8\nR0 min value is outside of the allowed memory range\n" + processed: "" +
			"invalid access to map value, value_size=8 off=8 size=8, R0 min value is outside of the allowed memory range",
		"; return *value;\n3: R0=0 R10=fp0\n3: (95) exit\nverification time 12 usec\nstack depth 8\n" + processed: "",
		"last program uses helper\n": "last program uses helper",
		"0: (b7) r0 = 0\n; source\nunreachable insn 2\nverification time 12 usec\n" + processed: "unreachable insn 2",
		"1\na\nb\nc\nd": "b, c, d",
	} {
		if got := object.LogReason(log); got != want {
			t.Errorf("of %q: %q, want %q", log, got, want)
		}
	}
}

func TestVerifierErrorText(t *testing.T) {
	err := &object.VerifierError{Program: "f", Section: "xdp", Log: "1: (95) exit\nR0 !read_ok\nprocessed 2 insns\n", Err: unix.EACCES}
	const want = `the verifier refused program "f" in section "xdp": R0 !read_ok: permission denied; the log ends:` +
		"\n\t1: (95) exit\n\tR0 !read_ok\n\tprocessed 2 insns"
	if got := err.Error(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
