// Package kernels finds the kernels that tests are run on.
package kernels

// Kernel is one kernel that can be booted.
type Kernel struct {
	Line    string // "6.12"; "own" for one that the user named
	Release string // as uname -r: "6.12.117+deb13-cloud-amd64"; "" if not known
	Image   string // path of the bzImage
	Modules string // path of the directory lib/modules/<release>, "" if there is none
	Config  string // path of its configuration, "" if there is none
	Newest  bool   // the newest line of the matrix
}
