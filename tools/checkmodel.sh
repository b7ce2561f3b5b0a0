#!/bin/sh
# Checks docs/protocol.pml, the model of docs/protocol.md, with spin: the protocol keeps its guarantees on kernels with and without
# RENAME_EXCHANGE, and each mistake that is put in is found.
#   tools/checkmodel.sh             everything
#   tools/checkmodel.sh 0 5         the story of bug 5 without RENAME_EXCHANGE, one line a step; bug 0 is the protocol itself
# Needs spin and gcc (tools/setup.sh model), 1 GB and half a minute. Exit status: 0 all as it should be, 1 not so, 2 wrong usage.
set -eu

# number, EXCHANGE, what breaks, the mistake
bugs='1 1 accounted_for upgrade switches links before it pins their programs
2 1 accounted_for recovery does not switch links back
3 1 G10 nobody looks, after flock, whether the directory is still at its path
4 1 accounted_for a link is pinned outside before the record tells of it
5 0 G6 a swap that stopped between its two steps is undone: new goes, and the next one takes old for a removal
6 1 G5 the reader resolves each path from the root, and compares nothing
7 0 G5 the reader looks at old before it opens new
8 1 G5 the reader looks at a place outside before it looks into %outside
9 1 accounted_for a removal unlinks programs before links
10 1 G11 recovery detaches links that the tree in place has, too
11 1 G5 the reader takes what a link runs for drift
12 1 accounted_for recovery removes the replaced tree before it has moved %outside
13 0 G10 the reader looks once, and says that there is nothing
14 1 accounted_for recovery switches links back only for a tree with a record'

# number, EXCHANGE, what must be possible, lest the guarantees hold because nothing happens
reached='1 0 a process died between the two steps of a swap
2 1 a process died in an upgrade, after links were switched and before there was a record
3 1 a process died after the swap, before %outside was moved
4 1 a process died in a first pin, when all but the rename was done
5 1 a process died while it removed an object
6 0 a reader reads %stage-X/new
7 1 a reader holds a tree that is gone while the next upgrade runs'

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
model=$top/docs/protocol.pml

die() {
	echo "checkmodel: $*" >&2
	exit 1
}

# pan builds the verifier for EXCHANGE and BUG in this directory and runs it. Its exit status says nothing: what it writes does.
pan() {
	# shellcheck disable=SC2086 # BUG may bring a second flag
	spin -DEXCHANGE="$1" -DBUG=$2 -a "$model" >spin.out 2>&1 || die "spin does not take the model: $(cat spin.out)"
	shift 2
	# -w: the warnings are about what spin wrote.
	gcc -w -DSAFETY -DMEMLIM=1500 "$@" -o pan pan.c || die 'gcc does not take what spin made of the model'
	./pan -m1000000 -w22 >pan.out 2>&1 || true
	cut=$(grep -iE '^error:|max search depth|out of memory|MEMLIM|hash.?table.*full|VECTORSZ' pan.out || true)
	[ -z "$cut" ] || die "the search was cut short: $cut"
	errors=$(sed -n 's/^State-vector .*, errors: \([0-9][0-9]*\)$/\1/p' pan.out)
	[ -n "$errors" ] || die "pan does not tell the number of errors: $(cat pan.out)"
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.out)
}

# story tells the error that pan found in this directory.
story() {
	# shellcheck disable=SC2086 # as above
	spin -T -t -k protocol.pml.trail -DEXCHANGE="$1" -DBUG=$2 "$model" 2>&1 | sed -n 's/^ *//; /^broken: /{p;q;}; /^[01]: \|^reader: \|^unlinks \|^LINK_\|^rename \|^rmdir \|^finishes \|^closes /p'
}

# holds checks the protocol itself.
holds() {
	pan "$1" 0 -O2 -DCOLLAPSE
	if [ "$errors" != 0 ]; then
		story "$1" 0 >&2
		die "RENAME_EXCHANGE=$1: the protocol breaks what the last line says"
	fi
	! grep -q 'Search not completed' pan.out || die "RENAME_EXCHANGE=$1: the search was cut short: $(cat pan.out)"
	echo "RENAME_EXCHANGE=$1: all guarantees hold in $states states"
}

# finds checks that a mistake is found, and as what.
finds() {
	number=$1 exchange=$2 what=$(echo "$3" | tr _ ' ')
	shift 3
	pan "$exchange" "$number" -O0 -DBFS
	[ "$errors" = 1 ] || die "bug $number is not found ($states states): $*"
	said=$(story "$exchange" "$number" | tail -n 1)
	case $said in
	"broken: $what"*) echo "bug $number breaks ${said#broken: } ($*)" ;;
	*) die "bug $number breaks something else than $what: $said ($*)" ;;
	esac
}

# reaches checks that something can happen.
reaches() {
	number=$1 exchange=$2
	shift 2
	pan "$exchange" "0 -DREACH=$number" -O0 -DBFS
	[ "$errors" = 1 ] || die "it never happens in the model that $*"
	said=$(story "$exchange" "0 -DREACH=$number" | tail -n 1)
	[ "$said" = 'broken: reached' ] || die "the model breaks $said, before $*"
	echo "possible: $*"
}

one() {
	dir=$(mktemp -d)
	trap 'rm -r "$dir"' EXIT
	cd "$dir"
	"$@"
}

tell() {
	pan "$1" "$2" -O0 -DBFS
	story "$1" "$2"
	echo "$errors errors, $states states"
}

case ${1-}:$# in
:0) ;;
holds:2 | finds:* | reaches:*) one "$@" && exit ;;
[01]:2) one tell "$@" && exit ;;
*)
	sed -n '4,6s/^#   //p' "$0" >&2
	exit 2
	;;
esac

{
	echo holds 0
	echo holds 1
	echo "$bugs" | sed 's/^/finds /'
	echo "$reached" | sed 's/^/reaches /'
} | xargs -P 2 -L 1 sh "$0" || die 'the model is not as it should be: see above'
