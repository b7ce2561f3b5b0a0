package wire

import (
	"encoding/json"
	"os"
	"time"
)

// PlanPath is where the guest that is process 1 finds its plan.
const PlanPath = "/vmtest/plan.json"

// FromParameter is the kernel parameter that names the first package to run, counted from 0: a machine that was started again after one
// of them brought it down goes on after that.
const FromParameter = "vmtest.from="

// A Plan says what the guest does. Its paths are the guest's.
type Plan struct {
	Modules  []string // files of kernel modules, each after those it needs
	Env      []string // of the tests, as K=V, beside what the guest sets itself
	Packages []Package
	Timeout  time.Duration // that a package's tests may take
	Grace    time.Duration // that a test binary has to end by itself when they have used it up
	From     int           // the first package to run; "guest run" has no kernel parameter to take it from
	Config   string        // file of the kernel's configuration, "" if there is none; only "guest run" needs to be told
}

// A Package is one test binary.
type Package struct {
	Name   string
	Binary string
	Dir    string // to run it in
	Args   []string
	Cover  bool // was built for coverage
}

// ReadPlan reads a plan from a file.
func ReadPlan(path string) (Plan, error) {
	var p Plan
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	return p, err
}

// String is the plan as the file has it.
func (p Plan) String() string {
	data, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		panic(err) // a plan has nothing that JSON has not
	}
	return string(data)
}
