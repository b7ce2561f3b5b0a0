package pinning_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// As in testdata/bpf/traffic.c.
const (
	trafficMagic   = 0x6e6f696e69502d47
	trafficNumbers = 1 << 20
	trafficHooks   = 2
)

// Of the senders, each has so many packets on its way at most: more could overflow a queue of the kernel's, and be lost before any program.
const (
	trafficSenders = 2
	trafficWindow  = 8
)

// sendAlways sends numbered packets over lo until it is told to stop, and receives each of them.
func sendAlways(_ *order, said *done, stop <-chan struct{}) error {
	var number, received atomic.Uint64
	errs := make([]error, trafficSenders)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = sendOne(&number, &received, stop) })
	}
	group.Wait()
	said.Count["sent"], said.Count["received"] = number.Load(), received.Load()
	return errors.Join(errs...)
}

// sendOne sends from one socket to itself.
func sendOne(number, received *atomic.Uint64, stop <-chan struct{}) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	err = errors.Join(unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 20}),
		unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	if err != nil {
		return err
	}
	self, err := unix.Getsockname(socket)
	if err != nil {
		return err
	}
	packet := binary.NativeEndian.AppendUint64(nil, trafficMagic)
	packet = append(packet, make([]byte, 8)...)
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		for range trafficWindow {
			n := number.Add(1) - 1
			if n >= trafficNumbers {
				return fmt.Errorf("sent %d packets, all that traffic.c can tell apart", n)
			}
			binary.NativeEndian.PutUint32(packet[8:], uint32(n))
			if err := unix.Sendto(socket, packet, 0, self); err != nil {
				return err
			}
		}
		for range trafficWindow {
			if _, _, err := unix.Recvfrom(socket, packet[8:], 0); err != nil {
				return fmt.Errorf("a packet was lost: %w", err)
			}
			received.Add(1)
		}
	}
}

// tally is what the programs counted at one hook.
type tally struct {
	Once, Missed, Double uint64 // packets that were sent, by how often they were counted
	Packets              uint64 // in the per-CPU counter
	Versions             [2]uint64
}

func tallyOf(t testing.TB, obj *object.Object, hook uint32, sent uint64) (all tally) {
	t.Helper()
	for marks := range marksOf(t, obj.Map("seen"), sent) {
		switch mine := marks[2*hook:]; mine[0] + mine[1] {
		case 0:
			all.Missed++
		case 1:
			all.Once++
		default:
			all.Double++
		}
	}
	key := make([]byte, 4)
	binary.NativeEndian.PutUint32(key, hook)
	each := make([]byte, obj.Map("packets").ValueSize())
	check(t, obj.Map("packets").Lookup(key, each))
	for ; len(each) > 0; each = each[8:] {
		all.Packets += binary.NativeEndian.Uint64(each)
	}
	all.Versions = versionsOf(t, obj, hook)
	return all
}

// marksOf reads the marks of the first packets: how often each was counted, by hook and version.
func marksOf(t testing.TB, seen *object.Map, sent uint64) iter.Seq[[2 * trafficHooks]uint32] {
	t.Helper()
	const batch = 4096
	return func(yield func([2 * trafficHooks]uint32) bool) {
		var place [4]byte
		keys, values := make([]byte, 4*batch), make([]byte, seen.ValueSize()*batch)
		attr := sys.MapBatchAttr{OutBatch: sys.Slice(place[:]), Keys: sys.Slice(keys), Values: sys.Slice(values), MapFD: seen.FD().Attr()}
		for left := sent; left > 0; left -= uint64(attr.Count) {
			attr.Count = uint32(min(left, batch))
			check(t, sys.MapLookupBatch(&attr))
			attr.InBatch = attr.OutBatch
			for i := range int(attr.Count) {
				var marks [2 * trafficHooks]uint32
				_, err := binary.Decode(values[i*seen.ValueSize():], binary.NativeEndian, &marks)
				check(t, err)
				if !yield(marks) {
					return
				}
			}
		}
	}
}

func versionsOf(t testing.TB, obj *object.Object, hook uint32) (each [2]uint64) {
	t.Helper()
	value := make([]byte, 8)
	for version := range uint32(2) {
		check(t, obj.Map("versions").Lookup(binary.NativeEndian.AppendUint32(nil, 2*hook+version), value))
		each[version] = binary.NativeEndian.Uint64(value)
	}
	return each
}

// TestG11Traffic upgrades an object again and again while packets run through its programs, one at an interface and one in a cgroup: each packet is counted by exactly
// one version at each hook, and no counter begins anew.
func TestG11Traffic(t *testing.T) {
	upgrades := repeats(200)
	root, o := newTarget(t, "traffic")
	builds, err := o.builds()
	check(t, err)
	opts := o.options()
	first, err := root.Ensure(builds[0], opts)
	check(t, err)
	first = kept(t, first, nil)
	sender := newWorker(t, inCgroup(t, o.Cgroup))
	sender.do(order{Do: "send"})
	begun, busy := time.Now(), 0
	before := versionsOf(t, first, 0)
	for i := range upgrades {
		upgradeInPlace(t, root, builds[(i+1)%2], opts)
		now := versionsOf(t, first, 0)
		if now != before {
			busy++
		}
		before = now
	}
	took := time.Since(begun)
	sent := sender.do(order{Do: "stop"}).Count
	obj, err := root.Open("traffic")
	obj = kept(t, obj, err)
	t.Logf("%d upgrades in %v, %d of them with packets counted meanwhile; packets: %d sent, %d received", upgrades, took.Round(time.Millisecond), busy, sent["sent"], sent["received"])
	if sent["sent"] != sent["received"] || busy < upgrades/2 || obj.Pinned().Generation != uint64(upgrades)+1 {
		t.Errorf("generation %d, %d upgrades under traffic", obj.Pinned().Generation, busy)
	}
	for hook, name := range []string{"interface (XDP)", "cgroup"} {
		got := tallyOf(t, obj, uint32(hook), sent["sent"])
		t.Logf("%s: %d by exactly one version, %d missed, %d double; counters: %d in all, %d of version 1, %d of version 2",
			name, got.Once, got.Missed, got.Double, got.Packets, got.Versions[0], got.Versions[1])
		if got.Once != sent["sent"] || got.Packets != sent["sent"] || got.Versions[0]+got.Versions[1] != sent["sent"] || got.Versions[0] == 0 || got.Versions[1] == 0 {
			t.Errorf("%s: want each of %d packets once, and counters that say so: %+v", name, sent["sent"], got)
		}
	}
	whole(t, root, "traffic", obj)
	check(t, root.Unpin("traffic", nil))
}

// upgradeInPlace upgrades, and checks that every link was switched.
func upgradeInPlace(t testing.TB, root *pinning.Root, spec *object.Spec, opts *pinning.Options) {
	t.Helper()
	with := *opts
	with.Upgrade = &pinning.UpgradeOptions{Did: func(plan *pinning.UpgradePlan) {
		for i := range plan.Steps {
			s := &plan.Steps[i]
			if s.Kind == pinning.KindLink && (s.Action != pinning.ActionSwitch || s.Gap != pinning.GapNone) || s.Kind == pinning.KindMap && s.Action != pinning.ActionKeep {
				t.Errorf("%s: %s, %s", s.Thing(), s.Action, s.Gap)
			}
		}
		if len(plan.Left) > 0 {
			t.Errorf("left: %q", plan.Left)
		}
	}}
	obj, err := root.Upgrade(spec, &with)
	check(t, err)
	check(t, obj.Close())
}

// exchanges tells whether the kernel swaps two directories in one step. Where it does not, a reader may find no object, if two upgrades swap while it looks.
func exchanges(t testing.TB) bool { return testenv.Has(t, "5.16") }
