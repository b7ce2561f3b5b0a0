# Pinion's targets; `make help` lists them. tools/setup.sh brings or names what a target needs.

FUZZTIME ?= 10s
DURATION ?= 1h
SEED     ?= 1
FAULTS   ?= -full
ARCHES   := amd64 arm64 arm riscv64 s390x

# Debian keeps bpftool and ip in folders that only root's PATH has.
export PATH := $(PATH):/usr/sbin:/sbin

# Pinion's work is root's: whoever is not root needs sudo, which forgets the PATH that the tests' own calls of go need.
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
EXEC := $(if $(SUDO),-exec "$(SUDO) env 'PATH=$(PATH)' 'GOMODCACHE=$$(go env GOMODCACHE)'")

# The kernel decides what most tests say, and Go's cache of results knows nothing of the kernel: -count=1 turns it off.
# The pure tests that are run again for it take seconds.
TEST := go test -count=1 $(EXEC)

.NOTPARALLEL: # the steps of test run one after another, in the order of its line

# What test-vm runs: the packages with tests that a kernel decides. The others need no kernel, or what a machine of the matrix has not (the go command).
KERNELS     ?= all
INTEGRATION := ./sys ./link ./object ./pinning ./cmd/pinion ./internal/testenv ./internal/faults ./examples/devicefilter
# What needs no privilege.
PURE        := ./elf ./internal/archtest ./internal/btf ./internal/order ./internal/sha256 ./internal/sizes/... ./internal/testvm/... ./internal/text

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 22

# Bit 21 of the capabilities is CAP_SYS_ADMIN: a root that lacks it, as in most containers, can no more load a program than anybody else.
demo: build ## load, attach, pin, reopen and unpin an object on this kernel, and say each step; in a virtual machine if that needs more privilege
	@if [ -n "$(SUDO)" ] || [ $$(( 0x$$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status) >> 21 & 1 )) = 1 ]; then $(SUDO) ./bin/pinion demo; else \
		echo 'No privilege for bpf(2) here: the demo runs in a virtual machine, as the test of it.'; \
		sh tools/setup.sh vm && sh tools/vmtest.sh -k 6.12 -run '^TestDemo$$' -logs ./cmd/pinion; \
	fi

build: ## build bin/pinion, static; the same source gives the same bytes
	@sh tools/setup.sh go
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w' -o bin/pinion ./cmd/pinion

# faults does more of what test-host would do.
test: setup fmt-check vet lint cross check-generate model fuzz-parsers faults test-host test-vm ## set the machine up, check everything, run every test here and on every kernel of the matrix

test: SKIP := -skip '^(TestFaults|TestRaces)$$'
test: FAULTS := -sample 100

setup: ## install what the checks and tests need and is missing (Debian), or say what is missing
	@echo '== setup: go, compilers, and the tools to compare with'
	@sh tools/setup.sh

test-host: ## run every test on this kernel, as root; without root, those that need none
	@if [ "$$(id -u)" = 0 ] || [ -n "$(SUDO)" ]; then \
		echo '== test-host: every package, on Linux '"$$(uname -r)"; $(TEST) $(SKIP) ./...; \
	else \
		echo '== test-host: without root, what needs none; test-vm runs the rest'; go test $(PURE); \
	fi

# The tests are run from their directory, for then the go command shows what they tell.
faults: ## make every system call of pinning fail, and kill it at each, and have many processes race, as root (SEED=1); then judge what is left
	@if [ "$$(id -u)" = 0 ] || [ -n "$(SUDO)" ]; then \
		echo '== faults: every call that fails, every death, and races'; cd internal/faults && $(TEST) -timeout 30m -run '^(TestFaults|TestRaces)$$' -args $(FAULTS) -seed $(SEED); \
	else \
		echo '== faults: not without root'; \
	fi

faults-vm: ## all of it in virtual machines, where it takes two and a half hours a kernel: make faults-vm KERNELS=5.10
	@sh tools/setup.sh vm
	@sh tools/vmtest.sh -k '$(KERNELS)' -logs -timeout 6h -env PINION_FAULTS=full ./internal/faults

faults-long: ## the same at random, for as long as you say: make faults-long DURATION=2h SEED=7
	@cd internal/faults && $(TEST) -timeout 0 -run '^(TestFaults|TestRaces)$$' -args -for $(DURATION) -seed $(SEED)

test-vm: ## run the tests that a kernel decides on the kernels of tools/kernels, or some: make test-vm KERNELS=5.10,6.1
	@echo '== test-vm: kernels $(KERNELS), in virtual machines'
	@sh tools/setup.sh vm
	@sh tools/vmtest.sh -k '$(KERNELS)' $(INTEGRATION)

race: ## run every test under the race detector, as root
	@CGO_ENABLED=1 $(TEST) -race ./...

fmt-check: ## fail where gofmt would change a file
	@echo '== fmt-check: gofmt'
	@files=$$(gofmt -l .) && [ -z "$$files" ] || { echo "make: run gofmt -w on: "$$files >&2; exit 1; }

vet: ## run go vet
	@echo '== vet: go vet'
	@go vet ./...

lint: ## run staticcheck, of the version in tools/lint/go.mod
	@echo '== lint: staticcheck'
	@go tool -modfile=tools/lint/go.mod staticcheck ./...

cross: ## build and vet for every architecture, and for another system what is for every system
	@for arch in $(ARCHES); do \
		echo "== cross: linux/$$arch"; \
		GOARCH=$$arch GOOS=linux CGO_ENABLED=0 go build -buildvcs=false ./... && \
		GOARCH=$$arch GOOS=linux CGO_ENABLED=0 go vet ./... || exit 1; \
	done
	@echo '== cross: darwin/arm64, what needs no Linux'
	@GOARCH=arm64 GOOS=darwin CGO_ENABLED=0 go vet ./elf ./internal/btf ./internal/sha256 ./pinning

generate: ## build the objects in testdata/bpf from their sources
	@sh tools/setup.sh build
	@$(MAKE) -B -s --no-print-directory -C testdata/bpf

check-generate: ## fail where an object in testdata/bpf is not what its source gives
	@echo '== check-generate: testdata/bpf'
	@sh tools/setup.sh build
	@set -e; dir=$$(mktemp -d); trap 'rm -r "$$dir"' EXIT; mkdir "$$dir/built" "$$dir/committed"; \
	$(MAKE) -s --no-print-directory -C testdata/bpf OUT="$$dir/built"; \
	cp testdata/bpf/*.o "$$dir/committed"; cd "$$dir"; diff -rq committed built >&2 || \
	{ echo 'make: objects in testdata/bpf are not what their sources give: run make generate, and look at what changed' >&2; exit 1; }

model: ## check the protocol's model with spin: it keeps the guarantees, and each mistake that is put in is found
	@echo '== model: docs/protocol.pml'
	@sh tools/setup.sh model
	@sh tools/checkmodel.sh

size: ## measure the static binaries against their budgets
	@go run -buildvcs=false ./internal/sizes

# Minimizing what is only interesting, and no failure, may take a minute for each of them: it is done once. Before Go 1.27 the end of the time may be taken for a failure
# (go.dev/issue/75804), so what failed is run again: a real failure has left its input in testdata/fuzz, and fails again at once.
FUZZ = fuzz() { go test -run '^$$' -fuzzminimizetime 1x -fuzz "^$$2\$$" -fuzztime $$3 "$$1" </dev/null; }; fuzz_twice() { echo "== fuzz: $$1 $$2"; fuzz "$$@" || fuzz "$$@"; }

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@$(FUZZ); grep -rE --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' . | sed 's|/[^/]*:func | |' | sort | while read -r dir name; do \
		fuzz_twice "$$dir" "$$name" $(FUZZTIME) || exit 1; \
	done

fuzz-parsers: ## run the fuzz targets of what reads files, for a minute each
	@$(FUZZ); for target in ./elf:FuzzParse ./internal/btf:FuzzParse ./internal/btf:FuzzParseExt ./internal/btf:FuzzCORE ./object:FuzzParse; do \
		fuzz_twice "$${target%:*}" "$${target#*:}" 1m || exit 1; \
	done

cover: ## run every test here and on every kernel, and write coverage.html
	@$(TEST) -covermode=atomic -coverpkg=./... -coverprofile=coverage.host ./...
	@sh tools/vmtest.sh -k '$(KERNELS)' -coverpkg ./... -coverprofile coverage.vm $(INTEGRATION)
	@{ cat coverage.host; sed 1d coverage.vm; } >coverage.out
	@go tool cover -html=coverage.out -o coverage.html
	@go tool cover -func=coverage.out | tail -n 1

clean: ## remove what was built
	@rm -rf bin coverage.out coverage.host coverage.vm coverage.html

.PHONY: help demo build test setup test-host test-vm race fmt-check vet lint cross generate check-generate model faults faults-vm faults-long size fuzz fuzz-parsers cover clean
