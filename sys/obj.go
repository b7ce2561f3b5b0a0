package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// ObjAttr is the attribute of BPF_OBJ_PIN and BPF_OBJ_GET.
type ObjAttr struct {
	Pathname  Pointer // NUL-terminated
	BPFFD     uint32  // pin only
	FileFlags uint32  // get: BPF_F_RDONLY or BPF_F_WRONLY; both: BPF_F_PATH_FD from Linux 6.5
	PathFD    int32   // the directory that a relative path starts from, with BPF_F_PATH_FD
	_         [148]byte
}

// ObjPin gives a map, a program or a link a name on bpffs; EEXIST if the name is taken.
func ObjPin(attr *ObjAttr) error {
	return bpfDo(unix.BPF_OBJ_PIN, unsafe.Pointer(attr))
}

// ObjGet opens what a path names. It follows symbolic links, the last component too.
func ObjGet(attr *ObjAttr) (*FD, error) {
	return bpfFD(unix.BPF_OBJ_GET, unsafe.Pointer(attr))
}

// ObjInfoAttr is the attribute of BPF_OBJ_GET_INFO_BY_FD. InfoLen says how many bytes Info points at and comes back as how many
// the kernel wrote.
type ObjInfoAttr struct {
	BPFFD   uint32
	InfoLen uint32
	Info    Pointer
	_       [152]byte
}

// ObjGetInfoByFD tells about a map, a program, a link or BTF. Bytes beyond what the kernel knows must be zero, else it answers E2BIG.
func ObjGetInfoByFD(attr *ObjInfoAttr) error {
	return bpfDo(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(attr))
}

// GetIDAttr is the attribute of the commands that walk over ids.
type GetIDAttr struct {
	StartID   uint32
	NextID    uint32
	OpenFlags uint32
	_         [156]byte
}

// MapGetNextID writes the smallest map id above StartID to NextID; ENOENT after the last.
func MapGetNextID(attr *GetIDAttr) error {
	return bpfDo(unix.BPF_MAP_GET_NEXT_ID, unsafe.Pointer(attr))
}

// ProgGetNextID is MapGetNextID for programs.
func ProgGetNextID(attr *GetIDAttr) error {
	return bpfDo(unix.BPF_PROG_GET_NEXT_ID, unsafe.Pointer(attr))
}

// BTFGetNextID is MapGetNextID for BTF.
func BTFGetNextID(attr *GetIDAttr) error {
	return bpfDo(unix.BPF_BTF_GET_NEXT_ID, unsafe.Pointer(attr))
}

// LinkGetNextID is MapGetNextID for links.
func LinkGetNextID(attr *GetIDAttr) error {
	return bpfDo(unix.BPF_LINK_GET_NEXT_ID, unsafe.Pointer(attr))
}

// GetFDByIDAttr is the attribute of the commands that open something by its id.
type GetFDByIDAttr struct {
	StartID       uint32 // the id; the kernel's union names it after the kind
	NextID        uint32 // unused
	OpenFlags     uint32 // maps: BPF_F_RDONLY or BPF_F_WRONLY
	FDByIDTokenFD int32  // Linux 6.9
	_             [152]byte
}

// MapGetFDByID opens a map; ENOENT if there is none with that id.
func MapGetFDByID(attr *GetFDByIDAttr) (*FD, error) {
	return bpfFD(unix.BPF_MAP_GET_FD_BY_ID, unsafe.Pointer(attr))
}

// ProgGetFDByID is MapGetFDByID for programs.
func ProgGetFDByID(attr *GetFDByIDAttr) (*FD, error) {
	return bpfFD(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(attr))
}

// BTFGetFDByID is MapGetFDByID for BTF.
func BTFGetFDByID(attr *GetFDByIDAttr) (*FD, error) {
	return bpfFD(unix.BPF_BTF_GET_FD_BY_ID, unsafe.Pointer(attr))
}

// LinkGetFDByID is MapGetFDByID for links.
func LinkGetFDByID(attr *GetFDByIDAttr) (*FD, error) {
	return bpfFD(unix.BPF_LINK_GET_FD_BY_ID, unsafe.Pointer(attr))
}

// TaskFDQueryAttr is the attribute of BPF_TASK_FD_QUERY.
type TaskFDQueryAttr struct {
	PID         uint32
	FD          uint32
	Flags       uint32
	BufLen      uint32 // bytes
	Buf         Pointer
	ProgID      uint32
	FDType      uint32
	ProbeOffset uint64
	ProbeAddr   uint64
	_           [120]byte
}

// TaskFDQuery tells which program a process's perf event or raw tracepoint descriptor runs.
func TaskFDQuery(attr *TaskFDQueryAttr) error {
	return bpfDo(unix.BPF_TASK_FD_QUERY, unsafe.Pointer(attr))
}

// EnableStatsAttr is the attribute of BPF_ENABLE_STATS.
type EnableStatsAttr struct {
	Type uint32 // BPF_STATS_RUN_TIME
	_    [164]byte
}

// EnableStats makes the kernel count run time and runs of programs while the descriptor is open.
func EnableStats(attr *EnableStatsAttr) (*FD, error) {
	return bpfFD(unix.BPF_ENABLE_STATS, unsafe.Pointer(attr))
}

// TokenCreateAttr is the attribute of BPF_TOKEN_CREATE.
type TokenCreateAttr struct {
	Flags   uint32
	BPFFSFD uint32
	_       [160]byte
}

// TokenCreate makes a token of what a bpffs mount delegates. Linux 6.9.
func TokenCreate(attr *TokenCreateAttr) (*FD, error) {
	return bpfFD(cmdTokenCreate, unsafe.Pointer(attr))
}
