# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Rules for guest tests, to be included after these lists:
#
#   TEST_GEN_PROGS     programs from tests/NAME.c, static, each with the BPF objects that it embeds
#   TEST_GEN_FILES     the same, but not listed as tests
#   TEST_GEN_BARE      programs without BPF objects, built on request
#   SOURCES_NAME       more sources of the program NAME
#   HARNESS            sources shared by all of them
#   REPORT             the directory of report.h, which they include
#   CENSUS             sources shared by TEST_GEN_BARE in addition
#
# `make preload` builds only the BPF objects of progs/preload, from which modules are generated.
#
#   O                  the output directory
#   VMLINUX            a kernel, or its BTF, that provides the types for BPF programs
#   KBTF               the kbtf that prints them
#   MACHINE            the machine that the tests run on, as uname -m; default: this one
#
# `make progs` builds only the BPF objects that tests embed: with VMLINUX empty, those that exist are up to date.

CLANG ?= clang-16
KBTF ?= kbtf
O ?= $(CURDIR)/build

MACHINE ?= $(shell uname -m)
ARCH_x86_64 := x86
ARCH_aarch64 := arm64
ARCH_s390x := s390
ARCH_riscv64 := riscv
ARCH_ppc64le := powerpc
ARCH := $(or $(ARCH_$(MACHINE)),$(MACHINE))
# Current kernels have unnamed members of named structs, an extension that has to be enabled.
BPF_CFLAGS := -target bpf -D__TARGET_ARCH_$(ARCH) -mcpu=v3 -O2 -g -Wall -Werror \
	-fms-extensions -Wno-microsoft-anon-tag -I$(O)
CFLAGS ?= -O2
TEST_CFLAGS := $(CFLAGS) -Wall -Wextra -Werror -I$(REPORT) -Wa,-I$(O)/progs
# libbpf uses no name service, which would need shared libraries.
TEST_LDLIBS := -static -lbpf -lelf -lz -Wl,--no-warnings

PROGS := $(patsubst progs/%.bpf.c,$(O)/progs/%.bpf.o,$(wildcard progs/*.bpf.c))
PRELOAD := $(patsubst progs/%.bpf.c,$(O)/progs/%.bpf.o,$(wildcard progs/preload/*.bpf.c progs/unloadable/*.bpf.c))
TESTS := $(addprefix $(O)/tests/,$(TEST_GEN_PROGS) $(TEST_GEN_FILES))

all: $(TESTS)
preload: $(PRELOAD)
progs: $(PROGS)

# Directories of clones and caches may have blanks in their names.
blank := $() $()
$(O)/vmlinux.h: $(subst $(blank),\ ,$(VMLINUX))
	@mkdir -p $(@D)
	'$(KBTF)' dump --format c '$(VMLINUX)' >$@

$(O)/progs/%.bpf.o: progs/%.bpf.c $(wildcard progs/*.h progs/preload/*.h) $(O)/vmlinux.h
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

# Only a program's source says which objects it embeds.
$(O)/tests/%: tests/%.c $(HARNESS) $(wildcard tests/*.h $(REPORT)/report.h) $(PROGS)
	@mkdir -p $(@D)
	$(CC) $(TEST_CFLAGS) -o $@ $< $(SOURCES_$*) $(HARNESS) $(TEST_LDLIBS)

$(O)/tests/activity: $(wildcard ../Sources/Skeleton/Selftest/activity.*)

$(addprefix $(O)/tests/,$(TEST_GEN_BARE)): $(O)/tests/%: tests/%.c $(HARNESS) $(CENSUS) $(wildcard tests/*.h $(REPORT)/report.h)
	@mkdir -p $(@D)
	$(CC) $(TEST_CFLAGS) -o $@ $< $(HARNESS) $(CENSUS) $(TEST_LDLIBS)

# What is in the initramfs of preloaded.sh.
PRELOADED := $(addprefix preloaded/,init.c kept.c contents.c lifetime.c namespaces.c) tests/kmemleak.c
$(O)/preloaded/init: $(PRELOADED) $(HARNESS) $(CENSUS) $(wildcard preloaded/*.h progs/preload/*.h tests/*.h $(REPORT)/report.h)
	@mkdir -p $(@D)
	$(CC) $(TEST_CFLAGS) -o $@ $(PRELOADED) $(HARNESS) $(CENSUS) $(TEST_LDLIBS)

$(O)/preloaded/modprobe: preloaded/modprobe.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wall -Wextra -Werror -static -o $@ $<

# Beside a test of selftests/preload, which runs it.
$(O)/preload/guard_loader: preload/guard_loader.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wall -Wextra -Werror -o $@ $< $(TEST_LDLIBS)

clean:
	rm -rf $(O)

.PHONY: all preload progs clean
.DELETE_ON_ERROR:
