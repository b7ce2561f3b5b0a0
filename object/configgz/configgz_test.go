package configgz_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/object/configgz"
)

func TestRead(t *testing.T) {
	text, err := configgz.Read()
	if _, missing := os.Stat(configgz.Path); missing != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v where there is no %s", err, configgz.Path)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nCONFIG_BPF_SYSCALL=y\n") {
		t.Errorf("no CONFIG_BPF_SYSCALL in %d bytes: %.100q", len(text), text)
	}
}

func Example() {
	text, err := configgz.Read()
	if err != nil {
		text = nil // good for objects whose options are all weak
	}
	spec, err := object.Open("../../testdata/bpf/kconfig.bpf.o")
	if err != nil {
		fmt.Println(err)
		return
	}
	loading := object.LoadOptions{Kconfig: object.ParseKconfig(text)}
	fmt.Println(spec.NeedsKconfig(), loading.Kconfig != nil)
	// Output: true true
}
