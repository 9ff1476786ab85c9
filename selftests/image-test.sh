#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# image-test.sh SERIES [ARGUMENT]...: boots the Debian image of a kernel series, built by image.sh, and runs the
# guest tests in it. Prints KTAP. More ARGUMENTS are passed to `kbtf vm run`. KBTF names the binary
# (kbtf-vm is beside it), ACCEL how the guest runs (auto).

set -euo pipefail
export LC_ALL=C

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
kbtf=$(readlink -f "${KBTF:-$here/../.build/release/kbtf}")
image=${XDG_CACHE_HOME:-$HOME/.cache}/kbtf/debian/${1:?a series: 6.1, 6.12, 7.2 or 7.3}
shift
[ -e "$image/disk.ext4" ] || { echo "Bail out! no image at $image: make image"; exit 1; }
# A busy machine translates slowly: the limits are far above what the tests need.
exec "$kbtf" vm run --kernel "$(<"$image/release")" --sysroot "$image/root" --image debian --accel "${ACCEL:-auto}" \
    --append lsm=bpf --denylist "$here/DENYLIST" --test "$image/root/usr/local/lib/kbtf/selftests" \
    --boot-timeout 900 --timeout 3600 --test-timeout 900 "$@"
