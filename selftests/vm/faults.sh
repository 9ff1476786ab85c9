#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Guests that go wrong: each kind must be found, named, and over when its deadline
# comes; no deadline is near what a guest takes on a busy machine. Then what runs
# them is killed, and QEMU must be gone with it. Prints TAP. KBTF names the binary (kbtf-vm lies beside it), RELEASE the headers
# (default: setup's), ACCEL what runs the guests (tcg).

set -uo pipefail
export LC_ALL=C

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
kbtf=$(readlink -f "${KBTF:-$root/.build/release/kbtf}")
release=${RELEASE:-$("$root/selftests/setup.sh" --release)}
headers=/lib/modules/$release/build
export KBTF_SYSROOT=${KBTF_SYSROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/kbtf/images/$release}
unset MAKEFLAGS MFLAGS MAKELEVEL KBTF V M

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -r "$root/selftests/vm/faults" "$work/faults"
make -C "$headers" M="$work/faults" modules >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
module=$work/faults/kbtf_fault.ko
# The same with BTF that the kernel drops: the size of its first type is too large by far.
damaged=$work/damaged/kbtf_fault.ko
mkdir "$work/damaged"
{ cp "$module" "$damaged" && "$kbtf" encode -q --base auto --release "$release" "$damaged" &&
    objcopy --dump-section .BTF="$work/btf" "$damaged" && python3 - "$work/btf" <<'PYTHON' &&
import struct, sys
btf = bytearray(open(sys.argv[1], "rb").read())
length, offset = struct.unpack_from("<II", btf, 4)
struct.pack_into("<I", btf, length + offset + 8, 0xfffff0)
open(sys.argv[1], "wb").write(btf)
PYTHON
    objcopy --update-section .BTF="$work/btf" "$damaged"; } >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
cc -Wall -Wextra -static -o "$work/fault" "$work/faults/fault.c" || exit 1
for name in truncated crash stuck lying skipped disk fresh fine; do ln "$work/fault" "$work/$name"; done
# An initramfs whose init cannot run, one without any, and a kernel that is none behind its header.
mkdir "$work/empty"
printf 'no program' >"$work/empty/init"
chmod +x "$work/empty/init"
# A disk, and one that only looks like it.
mkdir -p "$work/tree/etc"
touch "$work/tree/etc/marker"
PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -d "$work/tree" "$work/disk.ext4" 8m >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
sum=$(sha256sum <"$work/disk.ext4")
cp "$work/disk.ext4" "$work/damaged.ext4"
dd if=/dev/zero of="$work/damaged.ext4" bs=1k seek=2 count=6000 conv=notrunc status=none
image=$("$kbtf" base --release "$release" --json | sed -n 's/.*"base" *: *"\([^"]*\)".*/\1/p' | head -n 1)
{ head -c 4096 "$image" && head -c 8000000 /dev/zero; } >"$work/vmlinuz"

# shellcheck source=selftests/tap.sh
source "$root/selftests/tap.sh"

# When a guest has to have ended that does so by itself; and what may pass between a deadline and the end.
long=900
slack=120

# guest NAME SECONDS ARGUMENT...: runs it in the background.
guest() {
    local name=$1 seconds=$2 kernel=(--kernel "$release")
    shift 2
    [[ " $* " != *" --kernel "* ]] || kernel=()
    (
        start=$SECONDS
        timeout $((seconds + 600)) "$kbtf" vm run --json --log-limit 1 "${kernel[@]}" --accel "${ACCEL:-tcg}" --cpus 1 \
            --timeout "$seconds" --boot-timeout "$seconds" --log "$work/$name.log" "$@" >"$work/$name.out" 2>"$work/$name.err"
        echo "$? $((SECONDS - start))" >"$work/$name.status"
    ) &
}

# ended NAME STATUS SECONDS TEXT: how it ended, that it was in time, and what was said.
ended() {
    local status seconds
    read -r status seconds <"$work/$1.status"
    if [ "$status" = "$2" ] && [ "$seconds" -le $(($3 + slack)) ] && grep -q -- "$4" "$work/$1.err"; then
        return 0
    fi
    echo "# $1: status $status after $seconds s; expected $2, a deadline of $3 s, and: $4"
    sed 's/^/# /' "$work/$1.err"
    tail -n 5 "$work/$1.log" 2>/dev/null | sed 's/^/# | /'
    return 1
}

fault() { # NAME SECONDS
    guest "$1" "$2" --module "$module" --parameters "kbtf_fault:how=$1" --test "$work/fine"
}

allowed() { # NAME TEXT
    guest "$1" "$long" --module "$module" --parameters kbtf_fault:how=warn --test "$work/fine" --allow-warning "$2"
}

# The machine that all others start from is saved.
guest fine "$long" --test "$work/fine"
wait
# Two at a time: a guest keeps one processor busy.
fault panic "$long"
fault oops "$long"
wait
fault warn "$long"
fault bug "$long"
wait
# A hang is one only if the guest gets that far before its deadline: tried with more time until it does.
for hung in 15 60 240 "$long"; do
    fault hang "$hung"
    [ "$hung" != 15 ] || fault flood "$long"
    wait
    ! grep -q ', during module kbtf_fault' "$work/hang.err" || break
done
fault poweroff "$long"
# What is said of one module adds up.
guest refuse "$long" --module "$module" --parameters kbtf_fault:how=refuse --parameters "kbtf_fault: not_there=1" --test "$work/fine"
wait
guest tests "$long" --test-timeout 20 --test "$work/truncated" --test "$work/crash" --test "$work/stuck" \
    --test "$work/lying" --test "$work/skipped" --test "$work/fine"
guest noboot 8 --kernel "$work/vmlinuz" --test "$work/fine"
wait
(cd "$work/empty" && echo init | cpio -o -H newc --quiet) >"$work/noinit.cpio"
guest noinit "$long" --image "$work/noinit.cpio"
guest booted "$long" --no-snapshot --module "$module" --parameters kbtf_fault:how=refuse \
    --parameters "kbtf_fault: not_there=1" --test "$work/fine"
wait
for number in 1 2; do
    guest "fresh$number" "$long" -v --test "$work/fresh" --arguments "fresh: $(date +%s)"
done
wait
guest btf "$long" --module "$damaged" --junit "$work/btf.xml"
# Results for a device that is full, and for a directory that is not there.
guest full "$long" -q --junit /dev/full --test "$work/fine"
wait
guest nowhere "$long" --junit "$work/nowhere/out.xml" --test "$work/fine"
wait
allowed expected "kbtf_fault: as asked"
allowed unexpected "something else"
wait
guest disk "$long" --image "$work/disk.ext4" --test "$work/disk"
guest damaged "$long" --image "$work/damaged.ext4" --test "$work/disk"
wait

# in_order NAME LINE LINE: both are in the log, in this order.
in_order() {
    awk -v a="$2" -v b="$3" 'index($0, a) { seen = 1 } index($0, b) && seen { found = 1 } END { exit !found }' "$work/$1.log"
}

echo "1..38"
check "a panic" ended panic 1 "$long" ": panic: Kernel panic - not syncing: kbtf_fault: as asked, during module kbtf_fault"
check "an oops" ended oops 1 "$long" ": oops: BUG: kernel NULL pointer dereference"
check "a warning" ended warn 1 "$long" ": warning: WARNING: CPU: .* kbtf_fault_init.*, during module kbtf_fault"
check "a BUG" ended bug 1 "$long" ": bug: kernel BUG at .*kbtf_fault.c"
check "a hang" ended hang 1 "$hung" ": hang: still running after $hung seconds, during module kbtf_fault"
check "a flood" ended flood 1 "$long" ": flood: more than 1048576 bytes on the console, during module kbtf_fault"
check "a guest that powers off early" ended poweroff 1 "$long" ": early power-off: .*, during module kbtf_fault"
check "a module that refuses" ended refuse 1 "$long" ": failed: 1 of 2 failed: kbtf_fault"
check "a kernel that does not boot" ended noboot 1 8 ": no boot: nothing on the console within 8 seconds"
check "no init" ended noinit 1 "$long" ": no init: Kernel panic - not syncing: No working init found"
check "tests that fail" ended tests 1 "$long" ": failed: 4 of 6 failed: truncated, crash, stuck, lying"
has() {
    grep -q -- "$2" "$work/$1.out" && return 0
    sed 's/^/# /' "$work/$1.out"
    return 1
}
check "... by a plan that is not kept" has tests '"planned 3, ran 2"'
check "... by a signal" has tests '"reason":"signal=11 Segmentation fault"'
check "... by their deadline" has tests '"reason":"TIMEOUT 20 seconds"'
check "... although they say they do not" has tests '"a subtest failed"'
check "a guest without a fault" ended fine 0 "$long" ""
# Guests that go on from a saved machine end as those that boot.
snapshots() {
    local name failed=0
    for name; do
        has "$name" '"start":{"from":"snapshot"}' || { echo "# $name" && failed=1; }
    done
    return "$failed"
}
check "all of these started from a saved machine" snapshots fine panic oops warn bug hang flood poweroff refuse tests
check "a guest that boots" ended booted 1 "$long" ": failed: 1 of 2 failed: kbtf_fault"
check "... does because it was asked to" has booted '"start":{"from":"boot","note":null}'
# But for times, and for what the kernel says of its clock a second after it booted, whatever it does then.
without_times() {
    sed -E 's/"seconds":[0-9.]*,//; s/"start":\{[^}]*\},//; s/,"(tsc|clocksource): [^"]*"//g' "$work/$1.out"
}
same_results() { is "$(without_times "$1")" "$(without_times "$2")"; } # NAME NAME
check "... and has the same results" same_results refuse booted
check "the clock of a saved machine is right" ended fresh1 0 "$long" ""
random() { sed -n 's/.*# random \([0-9a-f]*\).*/\1/p' "$work/fresh$1.log"; }
check "... and its random numbers are its own" differ "$(random 1)" "$(random 2)"
check "a warning that is expected" ended expected 0 "$long" ""
check "... is reported" has expected '"allowed":\[{"kind":"warning","line":"WARNING: '
check "one that is not" ended unexpected 1 "$long" ": warning: WARNING: CPU: "
check "a module's soft dependency comes before it" in_order expected "# module dummy" "# module kbtf_fault"
check "a root on a disk" ended disk 0 "$long" ""
check "... which stays as it was" is "$(sha256sum <"$work/disk.ext4")" "$sum"
check "a damaged disk" ended damaged 1 "$long" ": failed: bail out: /dev/vda: "

check "BTF that the kernel drops" ended btf 1 "$long" ": failed: 1 of 2 failed: kbtf_fault.btf"
check "... with the kernel's reason" has btf '"BPF: .*failed to validate module \[kbtf_fault\] BTF: -22'
check "... in JUnit, too" grep -q '^failed to validate module \[kbtf_fault\] BTF: -22' "$work/btf.xml"
check "results that cannot be written" ended full 1 "$long" "/dev/full: cannot write: No space left on device"
check "... are printed" has full '"outcome":"passed"'
check "files are tried before the boot" is "$(sed 's/^kbtf: //' "$work/nowhere.err"; sed 's/,"details".*//' "$work/nowhere.out")" \
    "$work/nowhere/out.xml: cannot replace: No such file or directory
hint: mkdir -p $work/nowhere
{\"schema\":1,\"error\":\"$work/nowhere/out.xml: cannot replace: No such file or directory\""

# What runs the guest dies at once: QEMU must not be left.
guests() { grep -lzs "marker=$$\\b" /proc/[0-9]*/cmdline | while read -r file; do
    grep -qz '^qemu-system' "$file" 2>/dev/null && echo "$file"
done; }
within() { # SECONDS COMMAND...
    local tries=$(($1 * 20))
    shift
    until "$@"; do
        [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.05
    done
}
runs() { [ -n "$(guests)" ]; }
is_gone() { [ -z "$(guests)" ]; }
leaves_nothing() { [ -z "$(find "$work/here" -mindepth 1)" ]; }
mkdir "$work/here"
cd "$work/here" || exit
TMPDIR=$work/here "$kbtf" vm run -q --kernel "$release" --accel "${ACCEL:-tcg}" --append "marker=$$" --no-snapshot \
    --test "$work/stuck" >/dev/null 2>&1 &
runner=$!
disown
check "QEMU runs" within 600 runs
kill -9 "$runner"
check "... and not without us" within "$slack" is_gone
check "... and leaves no file" leaves_nothing
exit "$failed"
