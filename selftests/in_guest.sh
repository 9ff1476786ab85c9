#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# in_guest.sh MAKER [ARGUMENT]...: has the script MAKER of this directory make tests for the kernel that `make setup`
# fetched, and runs them there. More ARGUMENTS go to `kbtf vm run`. Prints TAP. KBTF names the binary (kbtf-vm
# lies beside it), RELEASE the kernel (default: setup's), ACCEL what runs the guest (auto); what else MAKER
# asks of the environment comes from the caller.

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
# No limit here is near what the tests take, even where they share the processors with others: a kernel that stops
# is found all the same, only later.
# The BPF programs at hooks of the security layer want to be asked for.
"$kbtf" vm run --kernel "$release" --sysroot "$sysroot" --accel "${ACCEL:-auto}" --append lsm=bpf \
    --denylist "$here/DENYLIST" --test "$work/tests" \
    --boot-timeout 900 --timeout 3600 --test-timeout 900 "$@"
