#!/bin/sh
# Sets a machine up: tools/setup.sh [go] [build] [judges] [model] [vm], all of them if none is named.
#   go      a Go that go.mod accepts; never installed, only looked for
#   build   what makes the objects in testdata/bpf from their sources
#   judges  other loaders and tools, for tests that compare with them
#   model   what checks the protocol's model
#   vm      what boots other kernels; tools/vmtest.sh fetches those themselves
# It installs on Debian, and only what is missing. Elsewhere it says what is missing. Where all is there, it does nothing.
set -eu

# package:what it brings, a program or a file; a * in its path stands for what machines differ in
build='clang-19:clang-19 llvm-19:llvm-strip-19 libbpf-dev:/usr/include/bpf/bpf_helpers.h make:make gcc:gcc libc6-dev:/usr/include/stdio.h'
judges='bpftool:bpftool libbpf-dev:/usr/include/bpf/libbpf.h libelf-dev:/usr/include/libelf.h zlib1g-dev:/usr/include/zlib.h
	gcc:gcc libc6-dev:/usr/include/stdio.h iproute2:ip libxdp1:/usr/lib/*/bpf/xdp-dispatcher.o
	llvm-19:llvm-objdump-19'
model='spin:spin gcc:gcc libc6-dev:/usr/include/stdio.h' # spin makes C, and preprocesses with gcc

case $(uname -m) in
aarch64) vm='qemu-system-arm:qemu-system-aarch64' ;;
*) vm='qemu-system-x86:qemu-system-x86_64' ;;
esac

PATH=$PATH:/usr/sbin:/sbin # where Debian keeps bpftool and ip

die() {
	echo "setup: $*" >&2
	exit 1
}

check_go() {
	if ! command -v go >/dev/null; then
		[ ! -x /usr/local/go/bin/go ] || die 'go is not on the PATH: add /usr/local/go/bin to it'
		die "go is not on the PATH: install Go $(sed -n 's/^go //p' "$top/go.mod") or later from https://go.dev/dl"
	fi
	# go itself refuses a go.mod that wants a newer one, or fetches that if it may.
	said=$(cd "$top" && go list -m 2>&1) ||
		die "$(go version) does not do; install Go $(sed -n 's/^go //p' "$top/go.mod") or later from https://go.dev/dl; it says: $said"
}

# missing prints those of its arguments, package:thing, whose thing is not there.
missing() {
	for pair; do
		thing=${pair#*:}
		case $thing in
		# shellcheck disable=SC2086 # a pattern
		/*) ls -d $thing >/dev/null 2>&1 || echo "$pair" ;;
		*) command -v "$thing" >/dev/null || echo "$pair" ;;
		esac
	done
}

apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2
}

# install brings what is missing of its arguments, package:thing.
install() {
	lacking=$(missing "$@" | sort -u)
	[ -n "$lacking" ] || return 0
	things=$(echo "$lacking" | sed 's/^[^:]*://' | tr '\n' ' ')
	packages=$(echo "$lacking" | sed 's/:.*//' | sort -u | tr '\n' ' ')
	if [ ! -e /etc/debian_version ] || ! command -v apt-get >/dev/null; then
		die "missing: ${things}- this is no Debian, so install them by hand (Debian's packages are ${packages% })"
	fi
	sudo=
	if [ "$(id -u)" != 0 ]; then
		sudo=$(command -v sudo) || die "cannot install ${packages}without root: run as root, or install sudo"
	fi
	echo "setup: installing ${packages% }"
	# The package lists may be absent or too old: they are fetched only if it does not work without.
	# shellcheck disable=SC2086 # a list of packages
	apt install -y --no-install-recommends $packages 2>/dev/null ||
		{ apt update && apt install -y --no-install-recommends $packages; } ||
		die "apt-get could not install ${packages% }: see above"
	lacking=$(missing "$@")
	[ -z "$lacking" ] || die "installed, but still not there: $(echo "$lacking" | tr '\n' ' ')"
}

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
[ $# -gt 0 ] || set -- go build judges model vm
for group; do
	# shellcheck disable=SC2086 # lists of pairs
	case $group in
	go) check_go ;;
	build) install $build ;;
	judges) install $judges ;;
	model) install $model ;;
	vm) install $vm ;;
	*) die "no group $group: there are go, build, judges, model and vm" ;;
	esac
done
