// Command guest is what runs in the virtual machine. As process 1 it mounts what tests need, loads modules, runs the tests of its plan
// and turns the machine off. "guest run PLAN" is for a machine that another init has set up: it adds what that leaves out, runs the tests, and writes
// frames to standard output.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testvm/wire"
)

func main() {
	if os.Getpid() == 1 {
		initialize()
		return
	}
	if len(os.Args) != 3 || os.Args[1] != "run" {
		fmt.Fprintln(os.Stderr, "usage: guest run PLAN")
		os.Exit(2)
	}
	plan, err := wire.ReadPlan(os.Args[2])
	if err == nil {
		err = run(plan, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

// initialize is all that process 1 does. It never returns: the kernel would panic.
func initialize() {
	said := mountAll()
	line, err := openLine("/dev/ttyS1")
	if err != nil {
		fmt.Println("vmtest: there is no second serial line for the results:", err)
		turnOff()
	}
	if err := work(line, said); err != nil {
		fmt.Println("vmtest:", err)
	}
	// What is on its way to the host must get there before the machine is off.
	if err := unix.IoctlSetInt(int(line.Fd()), unix.TCSBRK, 1); err != nil {
		fmt.Println("vmtest: drain the line of results:", err)
	}
	turnOff()
}

// work sets the machine up and runs the tests.
func work(line io.Writer, said []error) error {
	frames := wire.NewWriter(line)
	plan, err := wire.ReadPlan(wire.PlanPath)
	if err != nil {
		return err
	}
	if plan.From, err = fromParameter(); err != nil {
		return err
	}
	said = append(said, prepare()...)
	said = append(said, loadModules(plan.Modules)...)
	if err := greet(frames); err != nil {
		return err
	}
	for _, problem := range said {
		if err := say(frames, problem.Error()); err != nil {
			return err
		}
	}
	return runAll(frames, plan)
}

// run is work in a machine that is set up.
func run(plan wire.Plan, to io.Writer) error {
	frames := wire.NewWriter(to)
	said := append(complete(plan.Config), loadModules(plan.Modules)...)
	if err := greet(frames); err != nil {
		return err
	}
	for _, problem := range said {
		if err := say(frames, problem.Error()); err != nil {
			return err
		}
	}
	return runAll(frames, plan)
}

func greet(frames *wire.Writer) error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	return sendJSON(frames, wire.Hello, "", wire.Greeting{Release: unix.ByteSliceToString(name.Release[:]), Uptime: uptime()})
}

func say(frames *wire.Writer, text string) error {
	return frames.Write(wire.Frame{Kind: wire.Say, Data: []byte(text)})
}

// fromParameter reads the first package to run from the kernel's command line.
func fromParameter() (int, error) {
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return 0, err
	}
	for _, field := range strings.Fields(string(line)) {
		if value, ok := strings.CutPrefix(field, wire.FromParameter); ok {
			return strconv.Atoi(value)
		}
	}
	return 0, nil
}

// turnOff ends the machine. QEMU ends with it.
func turnOff() {
	unix.Sync()
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("vmtest: turn the machine off:", err)
	}
	select {} // unreachable unless it cannot be turned off; the host's deadline ends it then
}
