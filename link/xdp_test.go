package link_test

import (
	"encoding/binary"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

func TestXDPRuns(t *testing.T) {
	lo, counter := enterNetns(t), newCounter(t)
	const pass = 2
	counting := program{kind: sys.ProgTypeXDP, attach: sys.AttachTypeXDP, code: counts(counter, pass)}.load(t)
	l := attach(t, link.XDP{Ifindex: lo}, counting)
	sendLocal(t)
	if n := count(t, counter); n != 1 {
		t.Errorf("the program saw %d packets, want 1", n)
	}
	check(t, l.Detach())
	sendLocal(t)
	if n := count(t, counter); n != 1 {
		t.Errorf("the program saw %d packets, the second after Detach", n)
	}
}

func TestXDPBusy(t *testing.T) {
	lo, program := enterNetns(t), passXDP.load(t)
	how := link.XDP{Ifindex: lo, Mode: link.XDPGeneric}
	attach(t, how, program)
	_, err := how.Attach(passXDP.load(t))
	wantError(t, err, unix.EBUSY)
	wantAdvice(t, err, "runs program id "+strconv.Itoa(int(programID(t, program))))
}

func TestXDPErrors(t *testing.T) {
	lo, program := enterNetns(t), passXDP.load(t)
	_, err := link.XDP{Ifindex: 4711}.Attach(program)
	wantError(t, err, unix.ENODEV)
	wantAdvice(t, err, "attach XDP program interface 4711: no such device (no interface has this index")
	_, err = link.XDP{Ifindex: lo, Mode: link.XDPDriver}.Attach(program)
	wantError(t, err, unix.EOPNOTSUPP)
	wantAdvice(t, err, "try XDPGeneric")
	_, err = link.XDP{Ifindex: lo, Mode: link.XDPGeneric | link.XDPDriver}.Attach(program)
	wantError(t, err, unix.EINVAL)
}

func TestQueryXDP(t *testing.T) {
	lo, program := enterNetns(t), passXDP.load(t)
	query := func(want []link.Attachment) {
		t.Helper()
		got, err := link.QueryXDP(lo)
		check(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	query(nil)
	l := attach(t, link.XDP{Ifindex: lo}, program)
	query([]link.Attachment{{ProgramID: programID(t, program), Flags: uint32(link.XDPGeneric)}})
	check(t, l.Detach())
	query(nil)
	_, err := link.QueryXDP(4711)
	wantError(t, err, unix.ENODEV)
}

// TestXDPPrograms reads an answer as a network card gives it that runs programs in the driver and on the device.
func TestXDPPrograms(t *testing.T) {
	attached := attribute(unix.IFLA_XDP_ATTACHED, []byte{4})
	driver := attribute(unix.IFLA_XDP_DRV_PROG_ID, words(7))
	device := attribute(unix.IFLA_XDP_HW_PROG_ID, words(8))
	xdp := attribute(unix.IFLA_XDP|unix.NLA_F_NESTED, assemble(attached, driver, device))
	attrs := assemble(attribute(unix.IFLA_IFNAME, []byte("eth0\x00")), xdp, attribute(unix.IFLA_MTU, words(1500)))
	want := []link.Attachment{{ProgramID: 7, Flags: uint32(link.XDPDriver)}, {ProgramID: 8, Flags: uint32(link.XDPOffload)}}
	if diff := cmp.Diff(want, link.XDPPrograms(attrs)); diff != "" {
		t.Error(diff)
	}
}

// attribute makes a netlink attribute: length, type, value, padding.
func attribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, -len(b)&3)...)
}

// FuzzXDPPrograms reads answers that no kernel gives: every program found must be in them.
func FuzzXDPPrograms(f *testing.F) {
	header := make([]byte, unix.SizeofNlMsghdr+unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint16(header[4:], unix.RTM_NEWLINK)
	program := attribute(unix.IFLA_XDP_DRV_PROG_ID, words(7))
	whole := assemble(header, attribute(unix.IFLA_XDP, program))
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[:len(header)-1])
	f.Add(assemble(header, words(0)))
	f.Add(assemble(words(36, unix.NLMSG_ERROR), make([]byte, 28)))
	f.Fuzz(func(t *testing.T, reply []byte) {
		attrs, err := link.LinkAttributes(reply)
		if err != nil {
			return
		}
		if found := link.XDPPrograms(attrs); len(found) > len(attrs)/len(program) {
			t.Errorf("%d programs in %d bytes", len(found), len(attrs))
		}
	})
}
