#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# in_guest.sh MAKER [ARGUMENT]...: runs the script MAKER of this directory to build tests for the kernel that `make
# setup` fetched, and runs them there. More ARGUMENTS are passed to `kbtf vm run`. Prints TAP. KBTF names the binary
# (kbtf-vm is beside it), RELEASE the kernel (default: setup's), ACCEL how the guest runs (auto); other variables
# that MAKER reads come from the caller.

set -euo pipefail
export LC_ALL=C

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
maker=${1:?the script that makes the tests}
shift
kbtf=$(readlink -f "${KBTF:-$here/../.build/release/kbtf}")
release=${RELEASE:-$("$here/setup.sh" --release)}
sysroot=${XDG_CACHE_HOME:-$HOME/.cache}/kbtf/images/$release

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
BASE=$sysroot/boot/vmlinuz-$release HEADERS=/lib/modules/$release/build KBTF=$kbtf \
    "$here/$maker" "$work" >"$work/log" 2>&1 || {
    sed 's/^/# /' "$work/log"
    echo "Bail out! the guest tests cannot be made"
    exit 1
}
# The limits are far above what the tests need, even on a busy machine: a kernel that stops is still noticed, only
# later.
# LSM programs run only with lsm=bpf.
"$kbtf" vm run --kernel "$release" --sysroot "$sysroot" --accel "${ACCEL:-auto}" --append lsm=bpf \
    --denylist "$here/DENYLIST" --test "$work/tests" \
    --boot-timeout 900 --timeout 3600 --test-timeout 900 "$@"
