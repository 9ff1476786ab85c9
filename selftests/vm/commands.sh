#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Guests with a shell: tests that are scripts, a directory that is shared, files that come back, a file of targets
# whose parts run apart, and somebody at the console. Prints TAP. KBTF names the binary (kbtf-vm lies beside it),
# RELEASE the kernel (default: setup's), ACCEL what runs the guests (tcg).

set -uo pipefail
export LC_ALL=C

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
kbtf=$(readlink -f "${KBTF:-$root/.build/release/kbtf}")
release=${RELEASE:-$("$root/selftests/setup.sh" --release)}
export KBTF_SYSROOT=${KBTF_SYSROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/kbtf/images/$release}
unset MAKEFLAGS MFLAGS MAKELEVEL KBTF V M

# shellcheck source=selftests/tap.sh
source "$root/selftests/tap.sh"

busybox=$(command -v busybox) || bail "no busybox: apt-get install busybox-static"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{data/sub,tests}
echo words >"$work/data/sub/file"
ln -s sub/file "$work/data/link"
cat >"$work/tests/script" <<'SCRIPT'
#!/bin/sh -e
# $1: what is in the shared file.
[ "$(cat /shared/link)" = "$1" ]
[ "$(uname -r)" = "$(cut -d ' ' -f 3 /proc/version)" ]
mkdir "$KBTF_OUTPUT/sub"
seq 1 2000 | gzip >"$KBTF_OUTPUT/sub/numbers.gz"
echo changed >/shared/sub/file
SCRIPT
printf '#!/usr/bin/env sh\necho "KTAP version 1\n1..2\nok 1 one\nok 2 two"\n' >"$work/tests/subtests"
printf '#!/usr/bin/awk -f\nBEGIN { exit 3 }\n' >"$work/tests/three"
chmod +x "$work"/tests/*
cat >"$work/targets.toml" <<TOML
[[target]]
name = "all"
kernel = "$release"
busybox = "$busybox"
share = "data"
test = "tests"
arguments = "script: words"
[[target]]
name = "one, with more memory"
kernel = "$release"
busybox = "$busybox"
test = ["tests/subtests"]
memory = 1100
TOML

run() { # NAME ARGUMENT...
    local name=$1
    shift
    "$kbtf" vm run --accel "${ACCEL:-tcg}" --timeout 900 --boot-timeout 900 --test-timeout 300 "$@" \
        >"$work/$name.out" 2>"$work/$name.err"
    echo $? >"$work/$name.status"
}
status() { [ "$(<"$work/$1.status")" = "$2" ] || { sed 's/^/# /' "$work/$1".{out,err}; return 1; }; }
has() { grep -qxE -- "$2" "$work/$1.out" || { sed 's/^/# /' "$work/$1.out"; return 1; }; }
came() { [ "$(gunzip <"$work/$1/sub/numbers.gz" | tail -n 1)" = 2000 ] && [ "$(find "$work/$1" -type f | wc -l)" = 1 ]; }

targets() { run "$1" --targets "$work/targets.toml" --shard "$2" --output "$work/$1"; }

# Scripts and programs as people have them.
mkdir "$work/dynamic"
printf '#!/usr/bin/env bash\nset -euo pipefail\n[[ $(< <(echo $((6 * 7)))) = 42 ]]\n' >"$work/dynamic/script"
echo '#include <math.h>
int main(int count, char **words) { return cos(count + !words) > 2; }' | cc -x c -o "$work/dynamic/program" - -Wl,--no-as-needed -lm ||
    bail "no C compiler"
chmod +x "$work"/dynamic/*

echo "1..16"
targets first 1/2
check "the first part passes" status first 0
check "... and has two of the tests" has first ' *1\.\.2'
check "... a script passes that reads what is shared" has first ' *ok 1 script'
check "... its file comes back" came "first/all"
check "... the directory stays as it was" is "$(<"$work/data/sub/file")" words
targets second 2/2
check "the second part has a test on each kernel" has second 'ok 2 one, with more memory # .*'
check "... of which the script that fails fails" has second ' *not ok 1 three # exit=3'
"$kbtf" vm merge "$work/first.out" "$work/second.out" >"$work/merged.out" 2>"$work/merged.err"
echo $? >"$work/merged.status"
check "both together" status merged 1
check "... have all four" has merged '# Totals: pass:[0-9]* fail:1 .*'
run bash --kernel "$release" --busybox "$busybox" --test <(printf '#!/bin/bash\n')
check "a pipe is not a test" status bash 1
printf '#!/bin/bash\n' >"$work/bash"
chmod +x "$work/bash"
run bash --kernel "$release" --busybox "$busybox" --test "$work/bash"
check "an interpreter that the guest lacks is named before the boot" grep -q "interpreter /bin/bash" "$work/bash.err"
run host --kernel "$release" --program env --program bash --test "$work/dynamic"
check "a guest with programs of the host's" status host 0
check "... runs a script of bash" has host ' *ok [12] script'
check "... and a program with its libraries" has host ' *ok [12] program'
run shell --kernel "$release" --shell </dev/null
check "no shell without a terminal" grep -q -- '--shell requires a terminal' "$work/shell.err"
log=$work/terminal
check "a shell at a terminal" python3 "$root/selftests/vm/shell.py" "$log" "$kbtf" vm run --kernel "$release" \
    --accel "${ACCEL:-tcg}" --shell --share "$work/data" --test "$work/tests"
exit "$failed"
