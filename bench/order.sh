#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# order.sh KBTF: write bench/functions.order, the functions that kbtf calls where builds start it for each module, and
# where users wait for it alone: first those that most of these runs call, and together what the same runs call.
# The linker places them so. The kernel maps 64 KiB around each page of a program that is used, so less of it is
# in memory then.
#
# KBTF must have its symbols, as the release build has. The sample module is built in a temporary folder.

set -euo pipefail
export LC_ALL=C
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(dirname "$bench")
kbtf=$(realpath "$1")

command -v valgrind >/dev/null || { echo "order.sh: there is no valgrind: apt-get install valgrind" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
release=$("$repo/selftests/setup.sh" --release)
root=${XDG_CACHE_HOME:-$HOME/.cache}/kbtf/images/$release
base=$work/vmlinux.btf
for role in pahole resolve_btfids bpftool; do ln -s "$kbtf" "$work/$role"; done
"$kbtf" base --quiet --release "$release" --sysroot "$root" --output "$base"

cp -r "$repo/selftests/modules/kbtf_sample" "$work/sample"
(
    unset MAKEFLAGS MFLAGS MAKELEVEL
    make -C "/lib/modules/$release/build" M="$work/sample" modules >"$work/log" 2>&1
) || { tail "$work/log" >&2; exit 1; }
module=$work/sample/kbtf_sample.ko
cat >"$work/order.bpf.c" <<'END'
char LICENSE[] __attribute__((section("license"), used)) = "GPL";
const volatile int limit = 3;
int seen;
__attribute__((section("raw_tp/sys_enter"), used)) int order(void *context) {
    seen += limit;
    return 0;
}
END
clang-16 -target bpf -g -O2 -c "$work/order.bpf.c" -o "$work/order.bpf.o"

profiles=()
# profile COMMAND...: what it executes.
profile() {
    profiles+=("$work/profile.${#profiles[@]}")
    valgrind --tool=callgrind --callgrind-out-file="${profiles[-1]}" --dump-instr=yes --compress-pos=no "$@" \
        >"$work/log" 2>&1 || { tail "$work/log" >&2; exit 1; }
}

fresh() { cp "$module" "$work/fresh.ko"; }

profile "$kbtf" --version
profile "$work/pahole" --version
fresh
profile "$work/pahole" -J --btf_features=encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func \
    --btf_base "$base" "$work/fresh.ko"
cp "$work/fresh.ko" "$work/encoded.ko"
profile "$work/resolve_btfids" -b "$base" "$work/fresh.ko"
fresh
profile "$kbtf" encode --base "$base" "$work/fresh.ko"
profile "$kbtf" dump --base "$base" --format c "$work/encoded.ko"
profile "$kbtf" dump "$base" --format raw
profile "$work/bpftool" gen skeleton -L "$work/order.bpf.o" name order
profile "$kbtf" check --base "$base" "$work/encoded.ko"
"$bench/order.py" "$kbtf" "${profiles[@]}" >"$work/order"
mv "$work/order" "$bench/functions.order"
