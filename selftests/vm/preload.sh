#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Modules made of BPF objects, on the kernel that `make setup` fetched: see docs/preload.md.
# CHECKS=preload of `make conformance` does more. Prints TAP. KBTF names the binary (kbtf-vm lies beside it), RELEASE the kernel (default:
# setup's), ACCEL what runs the guest (auto).

set -euo pipefail
export LC_ALL=C

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
kbtf=$(readlink -f "${KBTF:-$root/.build/release/kbtf}")
release=${RELEASE:-$("$root/selftests/setup.sh" --release)}
sysroot=${XDG_CACHE_HOME:-$HOME/.cache}/kbtf/images/$release

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
BASE=$sysroot/boot/vmlinuz-$release HEADERS=/lib/modules/$release/build KBTF=$kbtf FEW=yes \
    "$root/selftests/preload.sh" "$work" >"$work/log" 2>&1 || {
    sed 's/^/# /' "$work/log"
    echo "Bail out! the modules cannot be made"
    exit 1
}
# The BPF programs at hooks of the security layer want to be asked for.
"$kbtf" vm run --kernel "$release" --sysroot "$sysroot" --accel "${ACCEL:-auto}" --append lsm=bpf \
    --denylist "$root/selftests/DENYLIST" --test "$work/tests" --timeout 170
