#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The configuration of Debian's kernels 7.2.13 for s390x and loong64, beside that for arm64.
#
# s390x has BTF for the kernel and its modules, and ftrace with direct calls, but no BPF_JIT. Trampolines belong to
# BPF_JIT, so that BPF_PROG_LOAD of any program that traces a function (fentry, fexit, fmod_ret, LSM) fails with ENOMEM,
# which says nothing of that. loong64 is the reverse: BPF_JIT and ftrace with direct calls, but no BTF, which these
# programs are loaded by.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

options=(DEBUG_INFO_BTF DYNAMIC_FTRACE_WITH_DIRECT_CALLS BPF_JIT)
same arm64 'DEBUG_INFO_BTF DYNAMIC_FTRACE_WITH_DIRECT_CALLS BPF_JIT' "$(configured_of_sid arm64 "${options[@]}")"
same s390x 'DEBUG_INFO_BTF DYNAMIC_FTRACE_WITH_DIRECT_CALLS' "$(configured_of_sid s390x "${options[@]}")"
same loong64 'DYNAMIC_FTRACE_WITH_DIRECT_CALLS BPF_JIT' "$(configured_of_sid loong64 "${options[@]}")"
