// Loads an object with libbpf, which pins its maps by name flat below ROOT or reuses those that are pinned there. Then it writes the value of
// one key, if it is given one, prints the map's id and the key's value, and exits: only the pin is left.
//
//	reuse OBJECT ROOT MAP KEY [VALUE]     KEY and VALUE in hexadecimal, a byte each two digits
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static void fail(const char *what, int err)
{
	fprintf(stderr, "reuse: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

// bytes reads exactly size bytes.
static void *bytes(const char *hex, size_t size)
{
	unsigned char *out = calloc(1, size);

	if (!out || strlen(hex) != 2 * size)
		fail(hex, EINVAL);
	for (size_t i = 0; i < size; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &out[i]) != 1)
			fail(hex, EINVAL);
	return out;
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc > 6)
		fail("usage: reuse OBJECT ROOT MAP KEY [VALUE]", EINVAL);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = argv[2]);
	struct bpf_object *object = bpf_object__open_file(argv[1], &opts);
	if (!object)
		fail("open", errno);
	int err = bpf_object__load(object);
	if (err)
		fail("load", err);
	struct bpf_map *map = bpf_object__find_map_by_name(object, argv[3]);
	if (!map)
		fail(argv[3], ENOENT);
	void *key = bytes(argv[4], bpf_map__key_size(map));
	size_t size = bpf_map__value_size(map);
	unsigned char *value = argc > 5 ? bytes(argv[5], size) : calloc(1, size);
	int fd = bpf_map__fd(map);
	err = argc > 5 ? bpf_map_update_elem(fd, key, value, BPF_ANY) : bpf_map_lookup_elem(fd, key, value);
	if (err)
		fail("value", err);
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	err = bpf_obj_get_info_by_fd(fd, &info, &length);
	if (err)
		fail("info", err);
	printf("%u ", info.id);
	for (size_t i = 0; i < size; i++)
		printf("%02x", value[i]);
	printf("\n");
	bpf_object__close(object);
	return 0;
}
