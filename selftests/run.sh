#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh KBTF DIR: the output of `make run`. Builds the sample module against the
# installed headers in DIR, once with split and once with standalone BTF, and
# loads the one with split BTF in a virtual machine.

set -euo pipefail
kbtf=$1 folder=$2
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
headers=/lib/modules/$("$here/setup.sh" --release)/build

# kbuild does not support blanks in paths.
case $folder in
*[[:space:]]*)
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    ;;
esac
rm -rf "$folder"
mkdir -p "$folder"
# Variables of the calling make must not reach the module's build.
unset MAKEFLAGS MFLAGS MAKELEVEL
export KBTF=$kbtf
build() {
    cp -r "$here/modules/kbtf_sample" "$folder/$1"
    echo "$1 BTF for $(basename "$(dirname "$headers")"):"
    "$here/../kbuild/kbtf-make" --no-print-directory -C "$headers" M="$folder/$1" modules "${@:2}" 2>&1 |
        sed "s|$folder/||"
}

build split
build standalone BTF_BASE=

cd "$folder"
echo
"$kbtf" info split/kbtf_sample.ko standalone/kbtf_sample.ko
echo
# The types it needs come first in the dump; only the struct itself is shown.
"$kbtf" dump --format c standalone/kbtf_sample.ko kbtf_sample_device |
    sed -n '/^struct kbtf_sample_device {/,$p' | sed -n 1,10p

echo
echo "split/kbtf_sample.ko in Linux $(basename "$(dirname "$headers")"), in a virtual machine:"
"$kbtf" vm run -v --module split/kbtf_sample.ko 2>vm.log >vm.tap || {
    grep -h '^ *\(not ok\|#\)' vm.tap >&2
    grep '^\(kbtf\|hint\):' vm.log >&2
    exit 1
}
grep -v -e 'KTAP version' -e '^ *1\.\.' -e '# Subtest' vm.tap
