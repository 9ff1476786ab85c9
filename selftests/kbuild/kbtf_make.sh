#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Tests kbuild/kbtf-make and kbuild/kbtf.mk in real builds of the sample module.
# Prints TAP. KBTF names the binary, RELEASE the headers (default: setup's).

set -uo pipefail
export LC_ALL=C

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
kbtf=$(readlink -f "${KBTF:-$root/.build/release/kbtf}")
release=${RELEASE:-$("$root/selftests/setup.sh" --release)}
headers=/lib/modules/$release/build
export KBTF_SYSROOT=${KBTF_SYSROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/kbtf/images/$release}
# The build under test must not take part in the one that runs the test.
unset MAKEFLAGS MFLAGS MAKELEVEL KBTF BTF_BASE M V
unset "${!KBUILD_@}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# For temporary files, to see that none is left.
mkdir "$work/tmp"
export TMPDIR=$work/tmp
module=$work/sample
ko=$module/kbtf_sample.ko
log=$work/log

# Counts its calls; fails while there is a file `fail`.
mkdir "$work/bin"
cat >"$work/bin/kbtf" <<SCRIPT
#!/bin/sh
echo "\$*" >>'$work/calls'
echo "\$KBTF_SYSROOT" >'$work/sysroot'
[ ! -e '$work/fail' ] || { echo "kbtf: told to fail" >&2; exit 1; }
exec '$kbtf' "\$@"
SCRIPT
chmod +x "$work/bin/kbtf"
export KBTF=$work/bin/kbtf

cp -r "$root/selftests/modules/kbtf_sample" "$module"

# In the directory of the module, as people call it.
kbtf_make() {
    : >"$work/calls"
    (cd "$module" && "$root/kbuild/kbtf-make" -C "$headers" M="$module" "$@") >"$log" 2>&1
}
plain_make() { make -C "$headers" M="$module" "$@" >"$log" 2>&1; }
kind() { "$kbtf" info --json "${1:-$ko}" | sed -n 's/.*"kind" *: *"\([a-z]*\)".*/\1/p' | head -n 1; }
bytes() { sha256sum <"$1"; }
calls() { wc -l <"$work/calls"; }

# shellcheck source=selftests/tap.sh
source "$root/selftests/tap.sh"

[ -e "$headers/Makefile" ] || bail "no headers for $release"
[ -x "$kbtf" ] || bail "no kbtf at $kbtf"
echo "TAP version 13"

kbtf_make modules
check "a build succeeds" is $? 0
check "the module has split BTF" is "$(kind)" split
check "the line looks like kbuild's" says "  BTF [M] $ko"
check "the kernel's own step keeps quiet" not says "Skipping BTF"
split=$(bytes "$ko")

kbtf_make
check "nothing to build: the goal is the default one, the bytes are the same" is "$(bytes "$ko")" "$split"

kbtf_make modules BTF_BASE= V=1
check "an empty BTF_BASE makes standalone BTF" is "$(kind)" standalone
check "V=1 shows the command" says "kbtf encode --standalone -q $ko"
echo 'struct other { int member; } other;' | gcc -g -c -x c -o "$work/other.o" - && "$kbtf" encode -q "$work/other.o"

kbtf_make modules BTF_BASE="--btf_base ../other.o"
check "another base, by a relative path and in pahole's words" is $? 0
check "another base is used" grep -qF -- "--base $work/other.o" "$work/calls"
check "and gives split BTF that is not the kernel's" differ "$(bytes "$ko")" "$split"

kbtf_make modules BTF_BASE="$work/none"
check "a base that is not there is a usage error" is $? 2

kbtf_make modules KBTF_SYSROOT="$work/elsewhere:$KBTF_SYSROOT"
check "KBTF_SYSROOT as an argument, too" is "$? $(cat "$work/sysroot")" "0 $work/elsewhere:$KBTF_SYSROOT"

kbtf_make modules KBTF_FLAGS="--ledger $work/ledger"
check "KBTF_FLAGS go to kbtf" grep -qF -- "encode --base auto --ledger $work/ledger -q" "$work/calls"

kbtf_make modules
check "back to the kernel's base" is "$(bytes "$ko")" "$split"
check "with the ids of its kfuncs" is "$("$kbtf" ids "$ko" | awk 'NR > 1 { print $NF }' | sort -u)" filled

# The link command changes and no object does: kbuild links, and skips BTF.
plain_make modules KBUILD_LDFLAGS_MODULE=--build-id=md5
check "a bare relink drops BTF" is "$(kind)" none
kbtf_make modules KBUILD_LDFLAGS_MODULE=--build-id=md5
check "and is repaired" is "$(kind)" split
kbtf_make -s modules
check "a relink in our own build keeps BTF" is "$(kind)" split
check "-s prints nothing" is "$(cat "$log")" ""

before=$(bytes "$ko")
touch "$work/fail"
kbtf_make modules
check "a failing kbtf fails the build" is $? 1
check "its message is shown" says "told to fail"
check "and the module is as it was" is "$(bytes "$ko")" "$before"
KBTF_OPTIONAL=1 kbtf_make modules
check "KBTF_OPTIONAL: the build succeeds" is $? 0
check "... and says what it lacks" says "warning: modules were left without BTF (KBTF_OPTIONAL)"
check "... with kbtf's reason" says "told to fail"
kbtf_make help
check "help calls no kbtf" is "$? $(calls)" "0 0"
kbtf_make -n modules
check "a dry run calls no kbtf" is "$? $(calls)" "0 0"
check "a dry run shows what would be called" says "kbtf encode --base auto -q $ko"
kbtf_make no-such-goal
check "make's own failure is handed on" is "$? $(calls)" "2 0"
rm "$work/fail"

KBTF=$work/none kbtf_make modules
check "no kbtf to run is a usage error" is $? 2

cp "$ko" "$work/kept.ko"
strip --strip-debug "$ko"
kbtf_make modules
check "a module without DWARF fails the build" is $? 1
mv "$work/kept.ko" "$ko"

# A module in a directory below, and one process for both.
mkdir "$module/below"
echo 'obj-m += below/' >>"$module/Kbuild"
echo 'obj-m := kbtf_below.o' >"$module/below/Kbuild"
cat >"$module/below/kbtf_below.c" <<'SOURCE'
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/module.h>
static struct kbtf_below { int depth; } below;
module_param_named(depth, below.depth, int, 0444);
MODULE_DESCRIPTION("A second module");
MODULE_LICENSE("GPL");
SOURCE
kbtf_make -j 2 modules modules_install INSTALL_MOD_PATH="$work/root" CONFIG_MODULE_COMPRESS_XZ= CONFIG_MODULE_SIG_ALL=
check "build and installation in one go" is $? 0
check "both modules in one process" is "$(calls)" 1
check "every module has BTF" is "$(kind) $(kind "$module/below/kbtf_below.ko")" "split split"
installed=$(find "$work/root" -name 'kbtf_sample.ko')
check "what is installed has BTF" is "$(kind "$installed")" split

touch "$work/fail"
kbtf_make clean
check "clean calls no kbtf" is "$? $(calls)" "0 0"
check "clean removes the module" not test -e "$ko"
rm "$work/fail"

# One line in the module's own Makefile. The directory below goes, to save time.
rm -r "$module/below"
sed -i '/below/d' "$module/Kbuild"
own_makefile() {
    printf '%s\n' "$@" "KDIR := $headers" 'all:' "	\$(MAKE) -C \$(KDIR) M=\$(CURDIR) modules" 'clean:' \
        "	\$(MAKE) -C \$(KDIR) M=\$(CURDIR) clean" >"$module/Makefile"
}
cp -r "$root/kbuild" "$work/kbuild" # a path in a Makefile must not have a blank in it
own_makefile "include $work/kbuild/kbtf.mk"
make -C "$module" BTF_BASE= >"$log" 2>&1
check "kbtf.mk hooks an ordinary Makefile" is "$? $(kind)" "0 standalone"
: >"$work/calls"
make -C "$module" -n >"$log" 2>&1
check "kbtf.mk obeys a dry run" is "$? $(calls)" "0 0"

own_makefile
(cd "$module" && "$root/kbuild/kbtf-make") >"$log" 2>&1
check "kbtf-make runs an ordinary Makefile" is "$? $(kind)" "0 split"
(cd "$module" && "$root/kbuild/kbtf-make" clean) >"$log" 2>&1
check "and cleans with it" is "$? $(find "$module" -name '*.ko')" "0 "

# A makefile from standard input, which make reads in each of its runs.
piped() { (cd "$module" && printf '%s\n' "${makefile[@]}" | "$root/kbuild/kbtf-make" "$@") >"$log" 2>&1; }
makefile=("all:" "	\$(MAKE) -C $headers M=$module modules")
makefile+=("modules_install:" "	touch $work/installed")
mv "$module/Makefile" "$work/Makefile"
piped -f - all
check "a makefile from standard input is encoded, too" is "$? $(kind)" "0 split"
piped --file=- all modules_install BTF_BASE=
check "also before an installation" is "$? $(kind) $(ls "$work/installed")" "0 standalone $work/installed"
TMPDIR=$work/none piped -f - all
check "which requires a temporary directory" is "$? $(cat "$log")" \
    "2 kbtf-make: -f - requires a temporary directory, and none can be made in $work/none (TMPDIR)"
printf '#!/bin/sh\nkill -TERM $PPID\n' >"$work/bin/terminator"
chmod +x "$work/bin/terminator"
(KBTF_MAKE_PROGRAM=$work/bin/terminator piped -sf- all)
check "the signal that ends it is passed on" is $? 143
mv "$work/Makefile" "$module/Makefile"

# Builds need no temporary directory of ours, nor one that can be written.
(cd /proc && TMPDIR=$work/none "$root/kbuild/kbtf-make" -C "$headers" M="$module" modules) >"$log" 2>&1
check "without a temporary directory, in one that cannot be written" is "$? $(kind)" "0 split"
check "no temporary file is left" is "$(ls -A "$TMPDIR")" ""

echo "1..$points"
