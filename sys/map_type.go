package sys

import "strconv"

// MapType is the kind of a map: enum bpf_map_type of include/uapi/linux/bpf.h.
type MapType uint32

// Values of MapType (include/uapi/linux/bpf.h). A kernel older than the type answers EINVAL.
const (
	MapTypeUnspec              MapType = 0  // BPF_MAP_TYPE_UNSPEC
	MapTypeHash                MapType = 1  // BPF_MAP_TYPE_HASH
	MapTypeArray               MapType = 2  // BPF_MAP_TYPE_ARRAY
	MapTypeProgArray           MapType = 3  // BPF_MAP_TYPE_PROG_ARRAY
	MapTypePerfEventArray      MapType = 4  // BPF_MAP_TYPE_PERF_EVENT_ARRAY
	MapTypePercpuHash          MapType = 5  // BPF_MAP_TYPE_PERCPU_HASH
	MapTypePercpuArray         MapType = 6  // BPF_MAP_TYPE_PERCPU_ARRAY
	MapTypeStackTrace          MapType = 7  // BPF_MAP_TYPE_STACK_TRACE
	MapTypeCgroupArray         MapType = 8  // BPF_MAP_TYPE_CGROUP_ARRAY
	MapTypeLRUHash             MapType = 9  // BPF_MAP_TYPE_LRU_HASH
	MapTypeLRUPercpuHash       MapType = 10 // BPF_MAP_TYPE_LRU_PERCPU_HASH
	MapTypeLPMTrie             MapType = 11 // BPF_MAP_TYPE_LPM_TRIE
	MapTypeArrayOfMaps         MapType = 12 // BPF_MAP_TYPE_ARRAY_OF_MAPS
	MapTypeHashOfMaps          MapType = 13 // BPF_MAP_TYPE_HASH_OF_MAPS
	MapTypeDevmap              MapType = 14 // BPF_MAP_TYPE_DEVMAP
	MapTypeSockmap             MapType = 15 // BPF_MAP_TYPE_SOCKMAP
	MapTypeCpumap              MapType = 16 // BPF_MAP_TYPE_CPUMAP
	MapTypeXskmap              MapType = 17 // BPF_MAP_TYPE_XSKMAP
	MapTypeSockhash            MapType = 18 // BPF_MAP_TYPE_SOCKHASH
	MapTypeCgroupStorage       MapType = 19 // BPF_MAP_TYPE_CGROUP_STORAGE
	MapTypeReuseportSockarray  MapType = 20 // BPF_MAP_TYPE_REUSEPORT_SOCKARRAY
	MapTypePercpuCgroupStorage MapType = 21 // BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE
	MapTypeQueue               MapType = 22 // BPF_MAP_TYPE_QUEUE
	MapTypeStack               MapType = 23 // BPF_MAP_TYPE_STACK
	MapTypeSKStorage           MapType = 24 // BPF_MAP_TYPE_SK_STORAGE
	MapTypeDevmapHash          MapType = 25 // BPF_MAP_TYPE_DEVMAP_HASH
	MapTypeStructOps           MapType = 26 // BPF_MAP_TYPE_STRUCT_OPS
	MapTypeRingbuf             MapType = 27 // BPF_MAP_TYPE_RINGBUF
	MapTypeInodeStorage        MapType = 28 // BPF_MAP_TYPE_INODE_STORAGE
	MapTypeTaskStorage         MapType = 29 // BPF_MAP_TYPE_TASK_STORAGE
	MapTypeBloomFilter         MapType = 30 // BPF_MAP_TYPE_BLOOM_FILTER
	MapTypeUserRingbuf         MapType = 31 // BPF_MAP_TYPE_USER_RINGBUF
	MapTypeCgrpStorage         MapType = 32 // BPF_MAP_TYPE_CGRP_STORAGE
	MapTypeArena               MapType = 33 // BPF_MAP_TYPE_ARENA
	MapTypeInsnArray           MapType = 34 // BPF_MAP_TYPE_INSN_ARRAY
	MapTypeRhash               MapType = 35 // BPF_MAP_TYPE_RHASH
)

// String gives the name that bpftool prints, or "map_type(N)" for a number that this version does not know.
func (t MapType) String() string {
	if name := nameAt(mapTypeNames, uint32(t)); name != "" {
		return name
	}
	return "map_type(" + strconv.FormatUint(uint64(t), 10) + ")"
}

const mapTypeNames = "" +
	"unspec," +
	"hash," +
	"array," +
	"prog_array," +
	"perf_event_array," +
	"percpu_hash," +
	"percpu_array," +
	"stack_trace," +
	"cgroup_array," +
	"lru_hash," +
	"lru_percpu_hash," +
	"lpm_trie," +
	"array_of_maps," +
	"hash_of_maps," +
	"devmap," +
	"sockmap," +
	"cpumap," +
	"xskmap," +
	"sockhash," +
	"cgroup_storage," +
	"reuseport_sockarray," +
	"percpu_cgroup_storage," +
	"queue," +
	"stack," +
	"sk_storage," +
	"devmap_hash," +
	"struct_ops," +
	"ringbuf," +
	"inode_storage," +
	"task_storage," +
	"bloom_filter," +
	"user_ringbuf," +
	"cgrp_storage," +
	"arena," +
	"insn_array," +
	"rhash"
