#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches what the check of skeletons.sh reads, besides what inputs.sh fetches:
#
#   $CACHE/sources/bpf-6.12/progs      the kernel's own BPF programs for tests, and the headers they share
#   $CACHE/sources/bpf-6.12/include    bpf/*.h for them, with the list of helpers made
#
# Needs the network only for what is missing; installs nothing.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SELFTESTS=tools/testing/selftests/bpf
PACKAGE=linux-source-6.12

lock
dir=$CACHE/sources/bpf-6.12
if [ ! -e "$dir/ready" ]; then
    status "6.12: fetching $PACKAGE for its BPF programs"
    mkdir -p "$(dirname "$dir")"
    tmp=$(fresh "$dir")
    fetch "$PACKAGE" "$tmp/package"
    mkdir "$tmp/tree"
    xz -T2 -dc "$tmp/package/usr/src/$PACKAGE.tar.xz" |
        tar -C "$tmp/tree" --strip-components=1 --wildcards -xf - \
            "$PACKAGE/$SELFTESTS/progs" "$PACKAGE/$SELFTESTS/*.h" \
            "$PACKAGE/tools/lib/bpf/*.h" "$PACKAGE/tools/include/uapi" "$PACKAGE/scripts/bpf_doc.py"
    mkdir -p "$tmp/include/bpf"
    cp "$tmp/tree"/tools/lib/bpf/*.h "$tmp/include/bpf/"
    "$tmp/tree/scripts/bpf_doc.py" --header --file "$tmp/tree/tools/include/uapi/linux/bpf.h" \
        >"$tmp/include/bpf/bpf_helper_defs.h"
    mv "$tmp/tree/$SELFTESTS" "$tmp/tests"
    mv "$tmp/tree/tools/include/uapi" "$tmp/uapi"
    mv "$tmp/tests/progs" "$tmp/progs"
    rm -rf "$tmp/package" "$tmp/tree"
    : >"$tmp/ready"
    rm -rf "$dir"
    mv "$tmp" "$dir"
fi
status "all inputs for skeletons ready"
