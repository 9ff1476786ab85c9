# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What kbtf takes on disk and to build, beside the kbtf of before.

case_size() {
    local now before
    strip -o "$WORK/stripped" "$KBTF"
    now=$(stat -c %s "$WORK/stripped")
    before=$(stat -c %s "$BEFORE")
    printf '\n## Size of kbtf, stripped\n\n%d bytes, before %d\n' "$now" "$before" | say
    goal "MB" 8 "$(awk -v n="$now" 'BEGIN { print n / 1e6 }')"
}

# built DIR: the seconds of a release build of kbtf and kbtf-vm from nothing, but for what is downloaded.
built() {
    (
        unset MAKEFLAGS MFLAGS MAKELEVEL KBTF SCRATCH
        # What stands before || does not end at an error by itself.
        cd "$1" && swift package resolve >"$1.log" 2>&1 && SECONDS=0 && make build >>"$1.log" 2>&1 && echo "$SECONDS"
    ) || die "$1 does not build: $1.log"
}

case_build() {
    local now before
    mkdir -p "$WORK/build-now" "$WORK/build-before"
    git -C "$REPO" archive HEAD | tar -C "$WORK/build-now" -xf -
    git -C "$REPO" archive "$BENCH_BEFORE" | tar -C "$WORK/build-before" -xf -
    before=$(built "$WORK/build-before")
    now=$(built "$WORK/build-now")
    rm -rf "$WORK/build-now" "$WORK/build-before"
    printf '\n## A clean release build\n\n%d s, before %d s\n' "$now" "$before" | say
    goal "time against before" 2/3 "$(awk -v a="$now" -v b="$before" 'BEGIN { print a / b }')"
}
