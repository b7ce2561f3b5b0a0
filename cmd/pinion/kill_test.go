package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// killedUpgrade upgrades the demo's object in a process of its own, which is killed some time after it has begun to build a tree.
func killedUpgrade(t *testing.T, root, file string, after time.Duration) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command("/proc/self/exe", "-root", root, "upgrade", "-keep-old", "-map", ".bss=migrate", demoObject, file)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- cmd.Wait() }()
	var kill <-chan time.Time
	for {
		select {
		case err := <-ended:
			if err != nil && said.Len() > 0 { // who is killed says nothing
				t.Fatalf("%v: %s", err, &said)
			}
			return
		case <-kill:
			cmd.Process.Kill()
		default:
			if _, err := os.Lstat(root + "/%stage-counter/new"); err == nil && kill == nil {
				kill = time.After(after)
			}
		}
	}
}

// TestKilledUpgrade kills upgrades to one build and back to the other at any moment: after the next command, the object is whole and runs, in one of
// the two builds. pinning tests each single step; this is what an operator does.
func TestKilledUpgrade(t *testing.T) {
	path := testenv.BPFFS(t)
	cgroup := testenv.Cgroup(t)
	root := pinCounterAt(t, path, cgroup)
	builds := []string{objects + "counter_v2.bpf.o", objects + "counter.bpf.o"}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	const within = 4 * time.Millisecond // it takes about as long from there to the end
	unfinished, builtOf := 0, make(map[string]int)
	for i := range 30 {
		killedUpgrade(t, path, builds[i%2], time.Duration(random.Int64N(int64(within))))
		shown := decode[showInfo](t, "show", "-root", path, demoObject)
		if shown.Unfinished != "" {
			unfinished++
		}
		if shown.Drifted && shown.Unfinished == "" {
			t.Fatalf("round %d, before recovery: %+v", i, shown)
		}
		pinion(t, done, "recover", "-root", path)
		idsOf(t, path, demoObject) // and that nothing has drifted
		wantBothAttached(t, cgroup)
		for _, file := range builds {
			if decode[showInfo](t, "show", "-root", path, "-elf", file, demoObject).Build == buildSame {
				builtOf[file]++
			}
		}
		if left := leftovers(t, path); len(left) > 0 {
			t.Fatalf("round %d: left %q", i, left)
		}
	}
	if n := builtOf[builds[0]] + builtOf[builds[1]]; n != 30 {
		t.Errorf("of one of the two builds in %d rounds, want 30", n)
	}
	t.Logf("seed %d: %d of 30 upgrades left something, %v", seed, unfinished, builtOf)
	if unfinished == 0 {
		t.Error("no upgrade was killed at work")
	}
	if err := root.Unpin(demoObject, nil); err != nil {
		t.Error(err)
	}
}

// wantBothAttached wants one program for packets in, and one for packets out.
func wantBothAttached(t *testing.T, cgroup string) {
	t.Helper()
	dir, err := link.OpenCgroup(cgroup)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for _, hook := range []sys.AttachType{sys.AttachTypeCgroupInetIngress, sys.AttachTypeCgroupInetEgress} {
		if attached, err := link.QueryCgroup(dir, hook); err != nil || len(attached.Programs) != 1 {
			t.Fatalf("%s: %+v, %v", hook, attached, err)
		}
	}
}

// TestShowUnfinished: what a process that died has left of an object is told, with what clears it.
func TestShowUnfinished(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"raw_tp.bpf.o")
	mkdir(t, root+"/%stage-raw_tp/new")
	out, _ := pinion(t, done, "show", "-root", root, "raw_tp")
	wantWords(t, out, "a process died while it changed this: pinion recover would undo or clear up after an upgrade\n")
	if err := os.Remove(root + "/%stage-raw_tp/new"); err != nil {
		t.Fatal(err)
	}
	lockDir(t, root+"/%stage-raw_tp")
	if shown := decode[showInfo](t, "show", "-root", root, "raw_tp"); shown.Unfinished != "" || shown.Drifted {
		t.Errorf("a process is at work, and it shows %+v", shown)
	}
}
