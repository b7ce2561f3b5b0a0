package text

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

func Example() {
	fmt.Println(Form("function {} has {} bytes, not {}").Quote("main").Uint(20).Int(-1))
	fmt.Println(Form("{} of {}").Add("section 3").Int64(math.MinInt64))
	fmt.Println(Number(17), Hex(0x1f))
	// Output:
	// function "main" has 20 bytes, not -1
	// section 3 of -9223372036854775808
	// 17 0x1f
}

func TestQuote(t *testing.T) {
	for name, want := range map[string]string{
		"":                         `""`,
		"flow_map.x":               `"flow_map.x"`,
		"a\"\\\x00\n\x7f":          `"a\"\\\x00\n\x7f"`,
		"é":                        `"\xc3\xa9"`,
		strings.Repeat("x", 64):    `"` + strings.Repeat("x", 64) + `"`,
		strings.Repeat("x", 1<<20): `"` + strings.Repeat("x", 64) + `"...`,
	} {
		if got := Quote(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
		if back, err := strconv.Unquote(Quote(name)); len(name) <= 64 && back != name {
			t.Errorf("%q: read back as %q, %v", name, back, err)
		}
	}
}

// TestParse compares with strconv at the edges, and where the two are to differ.
func TestParse(t *testing.T) {
	for _, s := range []string{"", "0", "7", "9a", "255", "256", "2147483647", "2147483648", "4294967295", "4294967296",
		"18446744073709551615", "18446744073709551616", "99999999999999999999", "ff", "100", "ffffffffffffffff", "10000000000000000", "007", "1_0", " 1"} {
		for _, base := range []int{10, 16} {
			for _, bits := range []int{8, 31, 32, 64} {
				want, err := strconv.ParseUint(s, base, bits)
				if got, ok := Parse(s, uint64(base), bits); ok != (err == nil) || ok && got != want {
					t.Errorf("%q of base %d in %d bits: %d, %t; want %d, %v", s, base, bits, got, ok, want, err)
				}
			}
		}
	}
	for _, s := range []string{"+1", "-1", "F"} {
		if n, ok := Parse(s, 16, 64); ok {
			t.Errorf("%q: %d, want none", s, n)
		}
	}
}
