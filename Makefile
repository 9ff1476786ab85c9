# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# `make help` lists the targets. Build products go to .build, downloads to the
# cache directory; only `make setup` changes the machine.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

SCRATCH ?= .build
PREFIX ?= /usr/local
libexecdir ?= $(PREFIX)/libexec
DESTDIR ?=
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kbtf

SWIFT := swift
SWIFTFLAGS := --scratch-path $(SCRATCH)
# A program without shared libraries starts in half the time, which matters if a
# build starts it for every module. This requires static archives of all
# libraries, which Debian's -dev packages contain; otherwise only Swift's own are
# linked statically. The default linker would warn about functions in Foundation
# that are never called here.
# Expanded when a recipe runs, not when make reads this: setup may install them.
STATIC = $(shell for name in elf bpf z zstd lzma lz4 stdc++ m c; do \
	[ -e "$$(cc -print-file-name=lib$$name.a)" ] || exit 0; done; \
	echo -Xswiftc -static-executable -Xswiftc -use-ld=lld "$(ORDER)")
# With lld, what is called together is placed together. A function that is no longer there is no
# error: the list only has to be right for most.
ORDER = -Xswiftc -Xfrontend -Xswiftc -function-sections \
	-Xlinker '--symbol-ordering-file=$(CURDIR)/bench/functions.order' -Xlinker --no-warn-symbol-ordering
RELEASEFLAGS = $(SWIFTFLAGS) -c release --static-swift-stdlib $(STATIC)
STRIP ?= strip
# For all tests together. No single test has a deadline, because a busy machine
# may delay any of them.
WATCHDOG ?= 4h
GUEST := $(SCRATCH)/release/guest-init
KBTF := $(abspath $(SCRATCH))/release/kbtf

# A kernel's release and the root of its unpacked image: known after setup.
RELEASE = $(shell selftests/setup.sh --release)
export KBTF_SYSROOT = $(CACHE)/images/$(RELEASE)$(addprefix :,$(SYSROOT))

# Compiling depends on the libraries that setup installs, so with any goal that
# runs setup all compiling waits for it, also with -j. `make build` and
# `make install` alone install no packages.
WITHOUT_SETUP := help build programs guest tools house lint install deb clean
ifneq ($(filter-out $(WITHOUT_SETUP),$(MAKECMDGOALS)),)
programs guest tools: | setup
endif

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## install what is missing, and unpack a kernel image into the cache
	@selftests/setup.sh

# A recipe that calls make runs even with `make -n`, and so has nothing else in it.
.PHONY: build
build: programs ## kbtf and kbtf-vm, in release
	@$(MAKE) guest

.PHONY: programs
programs:
	@$(SWIFT) build $(RELEASEFLAGS) --product kbtf
	$(SWIFT) build $(RELEASEFLAGS) --product kbtf-vm

# The init of virtual machines, for each machine with a compiler. Placed beside
# kbtf, and therefore after it: SwiftPM has to create that directory.
MACHINES := x86_64 aarch64 s390x riscv64 ppc64le arm i686 mips mips64 loongarch64
# Compilers whose prefix is not the machine's name with -linux-gnu.
TRIPLET_ppc64le := powerpc64le-linux-gnu
TRIPLET_arm := arm-linux-gnueabihf
TRIPLET_mips := mipsel-linux-gnu
TRIPLET_mips64 := mips64el-linux-gnuabi64
guest_compiler = $(or $(TRIPLET_$1),$1-linux-gnu)-gcc
GUESTS = $(foreach machine,$(MACHINES),$(shell \
	! command -v $(call guest_compiler,$(machine)) >/dev/null || echo $(GUEST)-$(machine)))
.PHONY: guest
guest: $(GUESTS) ## the init of virtual machines

# Separate from kbtf, because other flags would recompile everything each time.
.PHONY: tools
tools: ## the program that compares kbtf with its peers, and kbtf with shared libraries
	@$(SWIFT) build --scratch-path $(SCRATCH)/tools -c release --static-swift-stdlib --product kbtf-conformance
	$(SWIFT) build --scratch-path $(SCRATCH)/tools -c release --static-swift-stdlib --product kbtf

.PHONY: run
run: setup build ## give a real module split and standalone BTF, and show both
	@selftests/run.sh '$(KBTF)' '$(abspath $(SCRATCH))/run'

# `timeout` shields its children from Ctrl-C, so the signal is passed on.
.PHONY: test
test: setup build ## every fast test
	@set -m
	timeout -s INT -k 60 '$(WATCHDOG)' $(MAKE) tests-without-limit &
	set +m
	trap "kill -INT $$! 2>/dev/null" INT TERM
	wait $$! || {
		status=$$?
		[ "$$status" != 124 ] || echo "make test: the tests did not end within $(WATCHDOG)" >&2
		exit "$$status"
	}

# The shell tests need the release build; they come first, so that the summary of
# `swift test` ends the output. It says how many failed and not which, hence the list.
.PHONY: tests-without-limit
tests-without-limit:
	@selftests/run_tap.sh '$(KBTF)' selftests/kbuild/*.sh selftests/vm/*.sh
	$(SWIFT) build $(SWIFTFLAGS) --build-tests
	$(SWIFT) test $(SWIFTFLAGS) --skip-build 2>&1 | tee '$(SCRATCH)/tests.log' || {
		echo 'make test: what failed:'
		awk '/^✘ .* recorded an issue/ { print; more = 1; next } more && /^ *↳/ { print; next } { more = 0 }' \
			'$(SCRATCH)/tests.log' | cut -c 1-600 | head -n 15
		exit 1
	}

.PHONY: selftest
selftest: setup build ## boot a kernel that loads our BTF, and attach BPF programs through it
	@selftests/run_tap.sh '$(KBTF)' selftests/vm/btf.sh

.PHONY: house
house: ## draw the order of rooms
	@selftests/lint/house.sh

.PHONY: lint
lint: ## formatting, imports, licence lines, wording
	@$(SWIFT) format lint -s -r Sources Tests Package.swift
	selftests/lint/rooms.sh
	selftests/lint/house.sh --check
	selftests/lint/spdx.sh
	selftests/lint/english.sh

# Kernel builders often have a cross compiler without a C library.
$(GUEST)-%: $(wildcard selftests/guest/*.[ch])
	@compiler=$(call guest_compiler,$*)
	if [ '$*' != "$$(uname -m)" ] &&
		! echo 'int main(void) { return 0; }' | "$$compiler" -include stdio.h -static -x c -o /dev/null - 2>/dev/null
	then
		echo "kbtf vm will not run $* guests: $$compiler has no static C library"
		exit 0
	fi
	"$$compiler" -Wall -Wextra -Werror -Os -static -s -o $@ $(filter %.c,$^)

.PHONY: setup-peers
setup-peers: setup
	@selftests/setup.sh --peers

.PHONY: setup-machines
setup-machines: setup
	@selftests/setup.sh --machines

.PHONY: setup-browser
setup-browser: setup
	@selftests/setup.sh --browser

.PHONY: conformance
conformance: setup-peers setup-machines setup-browser build ## compare with pahole, over whole real kernels (long; CHECKS="vmlinux" picks)
	@KBTF='$(KBTF)' bash Tests/Conformance/run.sh

.PHONY: bench
bench: setup-peers build ## time and memory beside the peers (CASES="vmlinux start" picks)
	@KBTF='$(KBTF)' bash bench/bench.sh

.PHONY: order
order: setup-peers build ## list anew which functions are often called, for the linker
	@bench/order.sh '$(KBTF)'

SERIES ?= 6.1 6.12 7.2 7.3
.PHONY: image
image: setup-peers build ## Debian images of 6.1, 6.12, 7.2 and 7.3 for `kbtf vm run --image debian` (SERIES="6.1" picks; root)
	@KBTF='$(KBTF)' selftests/image.sh $(if $(UPDATE),--update) $(SERIES)

.PHONY: image-test
image-test: image ## boot these images, and run all guest tests in them
	@failed=0
	for series in $(SERIES); do
		KBTF='$(KBTF)' selftests/image-test.sh "$$series" || failed=1
	done
	exit "$$failed"

KERNELS ?= 6.12 7.2
.PHONY: kernels
kernels: setup-peers ## small kernels of 6.12 and 7.2 with kbuild/patches (KERNELS="6.12-kasan" picks; root)
	@Tests/Conformance/peers.sh
	selftests/kernels.sh $(KERNELS)

.PHONY: fuzz
fuzz: setup ## the fuzz tests, with KBTF_FUZZ_SECONDS (60) for each
	@KBTF_FUZZ_SECONDS=$${KBTF_FUZZ_SECONDS:-60} $(SWIFT) test $(SWIFTFLAGS) --filter Fuzz

.PHONY: test-all
test-all: lint test fuzz conformance ## all of the above but bench

.PHONY: install
install: build ## into DESTDIR/PREFIX (STRIP= leaves symbols in)
	@root='$(DESTDIR)$(PREFIX)'
	program() { install $(if $(STRIP),-s --strip-program='$(STRIP)') "$$@"; }
	program -Dm755 '$(KBTF)' "$$root/bin/kbtf"
	# The names used by kernel builds, see docs/kernel-builders.md.
	roles='$(DESTDIR)$(libexecdir)/kbtf'
	mkdir -p "$$roles"
	for name in pahole resolve_btfids bpftool; do
		ln -srf "$$root/bin/kbtf" "$$roles/$$name"
	done
	# The program behind `kbtf vm`, and the init of its guests.
	program -m755 '$(KBTF)-vm' "$$roles"
	install -m755 '$(GUEST)'-* "$$roles"
	install -Dm755 kbuild/kbtf-make "$$root/bin/kbtf-make"
	install -Dm644 kbuild/kbtf.mk "$$root/share/kbtf/kbtf.mk"
	version=$$('$(KBTF)' --version | head -n 1)
	for page in docs/man/*.1; do
		install -d "$$root/share/man/man1"
		# Paths and version are those of this installation.
		sed "s|/usr/local|$(PREFIX)|g; s|^\.Os kbtf$$|.Os $$version|" "$$page" >"$$root/share/man/man1/$${page##*/}"
		chmod 644 "$$root/share/man/man1/$${page##*/}"
	done
	# Laid out as here, so that links between the pages work.
	for file in *.md LICENSE docs/*.md docs/*.png bench/RESULTS.md findings/README.md; do
		install -Dm644 "$$file" "$$root/share/doc/kbtf/$$file"
	done
	completion() {
		mkdir -p "$$(dirname "$$2")"
		'$(KBTF)' --generate-completion-script "$$1" >"$$2"
	}
	completion bash "$$root/share/bash-completion/completions/kbtf"
	completion zsh "$$root/share/zsh/site-functions/_kbtf"
	completion fish "$$root/share/fish/vendor_completions.d/kbtf.fish"

DEB := $(SCRATCH)/deb
.PHONY: deb
deb: build ## a Debian package in .build/deb
	@[ "$$('$(KBTF)' --version | sed -n '1s/^kbtf //p')" = "$$(dpkg-parsechangelog -S Version)" ] || {
		echo "make deb: debian/changelog is of another version than Sources/Console/Version.swift" >&2
		exit 1
	}
	mkdir -p '$(DEB)'
	debian/rules binary OUTPUT='$(DEB)' STAGE='$(DEB)/kbtf'

.PHONY: clean
clean: ## remove what was built, not what was fetched
	@rm -rf '$(SCRATCH)'
