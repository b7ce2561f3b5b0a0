package sha256_test

import (
	"fmt"

	"github.com/pinion-bpf/pinion/internal/sha256"
)

func ExampleSum() {
	fmt.Printf("%x\n", sha256.Sum([]byte("abc")))
	// Output: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
}
