/*
 * The protocol of docs/protocol.md for one object X, checked by tools/checkmodel.sh (make model).
 *
 * Two writers, each of which does nothing but pin, upgrade and unpin X, for ever, in any order. Each system call of a writer may fail before
 * its tree is in place, and each writer may die before any of its system calls, as often as it likes; who takes the lock next recovers, and may
 * die of it, too. A reader opens X for ever. One step is one system call, or several of one kind.
 *
 * The object has a program, and three links that run it, which stand for the three ways that an upgrade treats links:
 *	A	its kind can be updated: one link for all generations, switched from program to program
 *	B	its kind cannot be updated: each tree has its own, the new one is attached before the old one is dropped
 *	O	like B, but an override pins it outside the tree; it ends with its last pin
 *
 * -DEXCHANGE=0 is a kernel without RENAME_EXCHANGE. -DBUG=n puts a mistake in, which spin must find: the list is in tools/checkmodel.sh.
 */
#ifndef EXCHANGE
#define EXCHANGE 1
#endif
#ifndef BUG
#define BUG 0
#endif

/* A tree goes by where it lies. Whatever names a tree (a program by its tree, say) follows it when it is renamed. */
#define PLACE	1	/* <root>/X */
#define NEW	2	/* %stage-X/new */
#define OLD	3	/* %stage-X/old */
#define GONE	4	/* a removed directory, for a reader that has it open */

/* What a tree has. */
#define HERE	  1	/* its directory */
#define PROGRAMS  2	/* the pin of its program, in programs/ (and of the maps, in maps/) */
#define RECORD	  4	/* %record */
#define PIN_A	  8	/* the pin of A, in links/ */
#define PIN_B	 16	/* the pin of its B, in links/ */
#define PIN_O	 32	/* the pin of its O, in %outside/, on the way to its place */
#define RUNS_B	 64	/* its B is attached */
#define SHOWN	128	/* ghost: it was committed, so readers may see it */
byte t[5];

#define HAS(tree, what)	((t[tree] & (what)) == (what))
#define GAP		(!t[PLACE] && t[NEW] && t[OLD])

bit stage;	/* %stage-X exists */
byte outside;	/* the tree whose O is pinned at the place outside; 0: nothing is there */
byte runsA;	/* the tree whose program A runs; 0: A is not attached */

/* Descriptors. A staging directory that was removed is locked by nobody else: that is more than the kernel allows, and does no harm. */
byte fd[2];	/* the writer has open: 0 nothing, 1 %stage-X, 2 a removed one */
bit held[2];	/* and has its flock */
bit fdA;	/* the writer inside has A open, which it attached */
byte fdB;	/* and the B of this tree */
byte rd;	/* the tree that the reader has open */
byte rs;	/* the staging directory that it has open: as fd */

/* Ghosts: what the invariants need to know and no process does. */
byte want;	/* the tree that is the object, whoever dies now; 0: there is none */
byte inside;	/* writers between lock and unlock */
bit absent;	/* there was no object at some time since the reader began */
byte swaps;	/* swaps in two steps during the reader's open, at most 2 */

#define MUST(name, condition) \
	if \
	:: (condition) \
	:: else -> printf("broken: "); printf(name); printf("\n"); assert(false) \
	fi

#define ACCOUNTED(tree)	HAS(tree, PROGRAMS)
#define B_FINE(tree)	((!HAS(tree, PIN_B | RUNS_B) && !HAS(tree, PIN_O)) || ACCOUNTED(tree))
#define WHOLE(tree)	(HAS(tree, HERE | PROGRAMS | RECORD | PIN_A | PIN_B | RUNS_B) && (HAS(tree, PIN_O) || outside == tree))
#define PINNED_A	((t[PLACE] | t[NEW] | t[OLD]) & PIN_A)

/* What holds after every step of a writer. G1 is checked where something gets a name. */
inline invariants()
{
	MUST("G10: one writer is inside", inside <= 1);
	MUST("G6: the object is the old or the new tree", (want == PLACE) == (t[PLACE] != 0) && (want == NEW) == GAP && want != OLD);
	MUST("G5: the object is whole", !want || WHOLE(want));
	MUST("G11: the object runs", !want || runsA == PLACE || runsA == NEW);
	MUST("accounted for: a pinned link runs a program that a tree has", (!runsA || !PINNED_A || ACCOUNTED(runsA)) &&
		(!outside || ACCOUNTED(outside)) && B_FINE(PLACE) && B_FINE(NEW) && B_FINE(OLD))
}

/* What holds when a writer has recovered, and when it is done. */
inline settled()
{
	MUST("G6: staging is cleared", !t[NEW] && !t[OLD]);
	MUST("G6: links run what is in place, and no others are there", runsA == want && outside == want && !HAS(PLACE, PIN_O))
}

/* A link ends when its last pin and descriptor are gone. */
inline endA() { if :: !fdA && !PINNED_A -> runsA = 0 :: else fi }
inline endB(tree) { if :: !HAS(tree, PIN_B) && fdB != tree -> t[tree] = t[tree] & ~RUNS_B :: else fi }

inline closeLinks()
{
	fdA = 0; endA();
	if :: fdB -> tmp = fdB; fdB = 0; endB(tmp); tmp = 0 :: else fi
}

/* The process is killed: its descriptors are closed, and so its lock is free. Its next life's first step checks the invariants. */
inline die()
{
	printf("%d: is killed\n", w);
	if :: in -> closeLinks(); inside-- :: else fi;
	fd[w] = 0; held[w] = 0; in = 0; recovered = 0; upgrade = 0
}

/* A step, before which the process may die; and one that may also fail. */
#define STEP(what, how) \
	if \
	:: d_step { printf("%d: ", w); printf(what); printf("\n"); how; invariants() } \
	:: d_step { die() } goto idle \
	fi
#define TRY(what, how) \
	if \
	:: d_step { printf("%d: ", w); printf(what); printf("\n"); how; invariants() } \
	:: d_step { die() } goto idle \
	:: d_step { printf("%d: fails: ", w); printf(what); printf("\n") } goto settle \
	fi

#define MOVED(x, from, to)	x = (x == (from) -> (to) : x)
#define SWAPPED(x, a, b)	x = (x == (a) -> (b) : (x == (b) -> (a) : x))

inline rename(from, to)
{
	MUST("G1: a rename hits nothing", t[from] && !t[to]);
	t[to] = t[from]; t[from] = 0;
	MOVED(outside, from, to); MOVED(runsA, from, to); MOVED(fdB, from, to); MOVED(rd, from, to); MOVED(want, from, to)
}

inline exchange(a, b)
{
	tmp = t[a]; t[a] = t[b]; t[b] = tmp; tmp = 0;
	SWAPPED(outside, a, b); SWAPPED(runsA, a, b); SWAPPED(fdB, a, b); SWAPPED(rd, a, b)
}

inline rmdir(tree)
{
	MUST("a tree that is removed is empty", t[tree] == HERE || t[tree] == (HERE | SHOWN));
	if :: rd == tree -> rd = GONE; t[GONE] = t[tree] & SHOWN :: else fi;
	t[tree] = 0
}

/* The one thing that is to be done next to settle what lies in staging. The tree in place decides. */
#define UPDATE_A	(t[PLACE] && runsA != PLACE && !(BUG == 2 && !recovered) && !(BUG == 14 && t[NEW] && !HAS(NEW, RECORD)))
#define UNSETTLED	(t[NEW] || t[OLD] || UPDATE_A || HAS(PLACE, PIN_O))
#define NEXT(condition, what, how) \
	if :: !tmp && (condition) -> printf(what); printf("\n"); how; tmp = 1 :: else fi

inline settleNext()
{
	tmp = 0;
	NEXT(GAP, "finishes a swap cut in half: rename new -> X", rename(NEW, PLACE));
	NEXT(UPDATE_A, "LINK_UPDATE A to what the tree in place records", runsA = PLACE);
	NEXT(HAS(PLACE, PIN_O) && (BUG != 12 || !(t[NEW] || t[OLD])), "rename X/%%outside/0 over the place outside",
		outside = PLACE; t[PLACE] = t[PLACE] & ~PIN_O);
	/* Then new and old go: links before what they run, the record last. */
	dead = (t[NEW] -> NEW : OLD);
	NEXT(BUG == 9 && HAS(dead, PROGRAMS), "unlinks the pins of programs", t[dead] = t[dead] & ~PROGRAMS);
	NEXT(HAS(dead, PIN_A | RECORD) && runsA && (!t[PLACE] || BUG == 10), "LINK_DETACH A", runsA = 0);
	NEXT(HAS(dead, PIN_A), "unlinks a pin of A", t[dead] = t[dead] & ~PIN_A; endA());
	NEXT(HAS(dead, PIN_B | RECORD | RUNS_B), "LINK_DETACH B", t[dead] = t[dead] & ~RUNS_B);
	NEXT(HAS(dead, PIN_B), "unlinks the pin of B", t[dead] = t[dead] & ~PIN_B; endB(dead));
	NEXT(HAS(dead, PIN_O), "unlinks %%outside/0", t[dead] = t[dead] & ~PIN_O);
	NEXT(HAS(dead, RECORD) && outside == dead && !t[PLACE], "unlinks the pin of O outside", outside = 0);
	NEXT(HAS(dead, PROGRAMS), "unlinks the pins of programs", t[dead] = t[dead] & ~PROGRAMS);
	NEXT(HAS(dead, RECORD), "unlinks %%record", t[dead] = t[dead] & ~RECORD);
	NEXT(HAS(dead, RUNS_B), "closes what it attached", closeLinks());
	NEXT(HAS(dead, HERE), "rmdir of the removed tree", rmdir(dead));
	dead = 0; tmp = 0
}

inline add(what) { t[NEW] = t[NEW] | (what) }

inline pinO()
{
	if
	:: upgrade -> add(PIN_O)
	:: else -> MUST("G1: the place outside is free", !outside); outside = NEW
	fi
}

/* rmdir refuses a directory that is not empty. Nothing comes after it but close, which nobody can tell apart from it. */
inline unlock()
{
	if
	:: !t[NEW] && !t[OLD] -> stage = 0; MOVED(rs, 1, 2); MOVED(fd[1-w], 1, 2)
	:: else
	fi;
	fd[w] = 0; held[w] = 0; in = 0; inside--; recovered = 0; upgrade = 0
}

proctype Writer(bit w)
{
	byte tmp, dead;
	bit in;		/* it is between lock and unlock */
	bit recovered;	/* what dead processes left is cleared */
	bit upgrade;

idle:	/* The lock: make, open and lock the directory, and see that it is still the one at its path. */
	STEP("mkdir %%stage-X, if it is not there", stage = 1);
	STEP("open %%stage-X", fd[w] = stage);
	if
	:: !fd[w] -> goto idle
	:: d_step { fd[w] && !(fd[w] == 1 && held[1-w]) -> printf("%d: flock\n", w); held[w] = 1 }
	:: d_step { fd[w] == 1 && held[1-w] -> printf("%d: busy: does not wait\n", w); fd[w] = 0 } goto idle
	:: d_step { fd[w] -> die() } goto idle
	fi;
	STEP("is %%stage-X still the locked directory?",
		if :: fd[w] == 1 || BUG == 3 -> in = 1; inside++ :: else -> fd[w] = 0; held[w] = 0 fi);
	if :: in :: else -> goto idle fi;

settle:	/* what dead processes left; what a failure undoes; what comes after a swap */
	do
	:: atomic { UNSETTLED -> STEP("settles: ", settleNext()) }
	:: else -> break
	od;
	STEP("closes what it attached: settled", closeLinks(); settled());
	if :: recovered -> goto release :: else -> recovered = 1 fi;

	/* Its own work. */
	if
	:: !t[PLACE]				/* pin */
	:: !t[PLACE] -> goto release		/* upgrade or unpin: ErrNotExist */
	:: t[PLACE] -> upgrade = 1
	:: t[PLACE] -> goto unpin
	:: t[PLACE] -> goto release		/* pin: ErrExist, to somebody who won; Ensure: opens it */
	fi;

	TRY("mkdir new", t[NEW] = HERE);
#if BUG != 1
	TRY("pins maps and programs", add(PROGRAMS));
#endif
	atomic {
		if
		:: upgrade -> TRY("LINK_UPDATE A to the new program", runsA = NEW)
		:: else -> TRY("attaches A", MUST("G6: A was not left attached", !runsA); runsA = NEW; fdA = 1)
		fi
	}
#if BUG == 1
	TRY("pins maps and programs", add(PROGRAMS));
#endif
	TRY("attaches B", add(RUNS_B); fdB = NEW);
#if BUG == 4
	TRY("pins O: at its place, or in new/%%outside", pinO());
	TRY("writes the record", add(RECORD));
#else
	TRY("writes the record", add(RECORD));
	TRY("pins O: at its place, or in new/%%outside", pinO());
#endif
	TRY("pins A", add(PIN_A));
	TRY("pins B", add(PIN_B));
	if
	:: !upgrade ->
		TRY("rename NOREPLACE new -> X", rename(NEW, PLACE); want = PLACE; t[PLACE] = t[PLACE] | SHOWN)
	:: else ->
#if EXCHANGE
		TRY("rename EXCHANGE new <-> X", exchange(NEW, PLACE); t[PLACE] = t[PLACE] | SHOWN)
#else
		TRY("rename X -> old", rename(PLACE, OLD); want = NEW; add(SHOWN); if :: swaps < 2 -> swaps++ :: else fi);
		if
		:: STEP("rename new -> X", rename(NEW, PLACE))
		:: STEP("fails: rename new -> X; rename old -> X", rename(OLD, PLACE); want = PLACE)
#if BUG == 5
		:: STEP("fails, and so does rename old -> X; undoes its own", runsA = OLD; outside = OLD; fdB = 0; t[NEW] = HERE; rmdir(NEW))
#else
		/* Both fail: it touches nothing more and lets go. */
		:: d_step { printf("%d: fails, and so does rename old -> X\n", w); die() } goto idle
#endif
		fi
#endif
	fi;
	goto settle;

unpin:
	TRY("rename X -> old, to remove it", rename(PLACE, OLD); want = 0; absent = 1);
	goto settle;

release:
	STEP("rmdir %%stage-X, if it is empty, and close", unlock());
	goto idle
}

/* What the reader looks for in the tree. The bug resolves each path from the root, and compares nothing. */
#if BUG == 6
#define AT	PLACE
#else
#define AT	rd
#endif
#define READ(what, condition) \
	atomic { \
		if \
		:: (condition) -> printf("reader: finds "); printf(what); printf("\n"); mixed = mixed || AT != rd \
		:: else -> printf("reader: misses "); printf(what); printf("\n"); goto missed \
		fi \
	}

active proctype Reader()
{
	bit staged;	/* the tree was found in %stage-X */
	bit again;	/* it looks for the second time */
	bit mixed;

start:	skip;
	d_step { absent = !want; swaps = (GAP -> 1 : 0); again = (BUG == 13) }
look:	skip;
	atomic {
		staged = 0; mixed = 0;
		rd = (t[PLACE] -> PLACE : 0);
		if :: rd -> printf("reader: opens X\n"); goto read :: else -> printf("reader: no X\n") fi
	}
	atomic { rs = stage; if :: !rs -> goto nothing :: else fi }
	/* new before old */
#if BUG == 7
	atomic { if :: rs == 1 && t[OLD] -> printf("reader: %%stage-X/old is there\n") :: else -> goto nothing fi }
	atomic { rd = (rs == 1 && t[NEW] -> NEW : 0); if :: rd -> printf("reader: opens %%stage-X/new\n") :: else -> goto nothing fi }
#else
	atomic { rd = (rs == 1 && t[NEW] -> NEW : 0); if :: rd -> printf("reader: opens %%stage-X/new\n") :: else -> goto nothing fi }
	atomic { if :: rs == 1 && t[OLD] -> printf("reader: %%stage-X/old is there\n") :: else -> goto nothing fi }
#endif
	atomic { rs = 0; staged = 1; goto read }
nothing:
	skip;
	atomic { rd = 0; rs = 0; t[GONE] = 0 }
	atomic {
		if :: !again -> again = 1; goto look :: else fi;
		/* Wrong only if it met the gaps of two swaps, one after the other. */
		MUST("G10: the reader says 'not there' of an object that is", absent || swaps == 2);
		goto start
	}

read:	skip;
	READ("the record", HAS(AT, RECORD));
	READ("maps and programs", HAS(AT, PROGRAMS));
	READ("A and B", HAS(AT, PIN_A | PIN_B));
#if BUG == 11
	READ("that A runs the program of the record", runsA == AT);
#endif
	/* %outside before the place outside */
#if BUG == 8
	atomic { if :: outside == AT -> goto whole :: else fi }
	READ("O in %%outside", HAS(AT, PIN_O));
#else
	atomic { if :: HAS(AT, PIN_O) -> mixed = mixed || AT != rd; goto whole :: else fi }
	READ("O at its place outside", outside == AT);
#endif
whole:	skip;
	atomic {
		MUST("G5: the reader has one generation", !mixed);
		MUST("G5: the reader has a tree that was committed", HAS(rd, SHOWN));
		rd = 0; t[GONE] = 0;
		goto start
	}
missed:	skip;
	atomic {
		MUST("G5: the reader reports drift only where there is some", staged || rd != PLACE || BUG == 6);
		rd = 0; t[GONE] = 0;
		goto look
	}
}

#ifdef REACH
/* What must be possible, lest the invariants hold because nothing happens. Spin must find each. */
#define DEAD	(!held[0] && !held[1])
active proctype Reached()
{
	atomic {
		if
		:: REACH == 1 && DEAD && GAP
		:: REACH == 2 && DEAD && t[PLACE] && runsA == NEW && !HAS(NEW, RECORD)
		:: REACH == 3 && DEAD && t[PLACE] && HAS(NEW, RECORD | PIN_A | PIN_B) && HAS(PLACE, PIN_O)
		:: REACH == 4 && DEAD && !t[PLACE] && HAS(NEW, RECORD | PIN_A | PIN_B) && outside == NEW
		:: REACH == 5 && DEAD && !t[PLACE] && HAS(OLD, RECORD | PROGRAMS) && !HAS(OLD, PIN_B)
		:: REACH == 6 && GAP && rd == NEW
		:: REACH == 7 && t[PLACE] && t[NEW] && rd == GONE
		fi;
		MUST("reached", false)
	}
}
#endif

init { atomic { run Writer(0); run Writer(1) } }
