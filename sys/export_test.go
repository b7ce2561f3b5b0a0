package sys

// PinAtProc and PinAtThread are PinAt as kernels without BPF_F_PATH_FD, and machines without /proc, do it.
var (
	PinAtProc   = pinBy(objAtProc)
	PinAtThread = pinBy(objAtThread)
)

func pinBy(way func(*FD, string, func(*ObjAttr) (*FD, error)) (*FD, error)) func(*FD, string, *FD) error {
	return func(dir *FD, name string, fd *FD) error {
		_, err := way(dir, name, func(attr *ObjAttr) (*FD, error) {
			attr.BPFFD = fd.Attr()
			return nil, ObjPin(attr)
		})
		return err
	}
}
