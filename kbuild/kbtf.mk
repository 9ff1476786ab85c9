# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One line in the Makefile of an out-of-tree module gives the module BTF, with
# any kernel headers, whether or not they contain a vmlinux:
#
#     ifneq ($(KERNELRELEASE),)
#     obj-m := foo.o
#     else
#     KDIR ?= /lib/modules/$(shell uname -r)/build
#     include /usr/local/share/kbtf/kbtf.mk
#     all:
#             $(MAKE) -C $(KDIR) M=$(CURDIR) modules
#     endif
#
# `make BTF_BASE=` then generates standalone BTF, `make BTF_BASE=FILE` BTF on another
# base; the variables are those of kbtf-make (see there), which runs wherever
# the recipes use $(MAKE). Write `-include` if the module must build without kbtf.
# In place of a plain `make`, a recipe calls $(KBTF_MAKE).
#
# The line may be anywhere in the Makefile: kbuild, which reads the file a
# second time, sets `srctree` and is not affected.

ifeq ($(srctree),)

KBTF_MAKE := $(firstword $(wildcard \
	$(abspath $(dir $(lastword $(MAKEFILE_LIST)))/kbtf-make) \
	$(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../../bin/kbtf-make)))
ifeq ($(KBTF_MAKE),)
KBTF_MAKE := kbtf-make
endif

export KBTF_MAKE_PROGRAM := $(MAKE_COMMAND)
override MAKE := $(KBTF_MAKE)

endif
