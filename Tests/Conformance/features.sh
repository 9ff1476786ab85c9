#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The lists of features that kbtf and pahole are given alike, for run.sh and oracles.sh to source.

# What Debian's 6.1 and 6.12 were built with.
LEGACY=var,float,enum64,decl_tag,type_tag
# What pahole 1.32 understands by `default`, less decl_tag_kfuncs.
DEFAULT=encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func
# The rest of what it can put into a vmlinux: a tag for each kfunc of .BTF_ids (6.1 has none); tags for
# bpf_fastcall and for pointers into arenas; variables of all sections; a table of kinds in the header.
FULL=default,decl_tag_kfuncs,attributes,global_var,layout
