#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# preloaded.sh [--tree] DIR: makes DIR/initramfs for a kernel with the patches of kbuild/patches, whose first process,
# preloaded/init.c, tests what such a kernel preloads. It is to be booted with lsm=bpf, module.sig_enforce=1 and
#
#   bpf_preload_list=$(cat DIR/list)   all tests
#   bpf_preload_list=                  that nothing is preloaded
#   nothing                            the default
#
# With --tree there are no modules: the objects are in DIR/objects, to be built into a kernel (kernels.sh), and DIR/list
# has those of them that are to be on the list.
#
# Configured by the environment, as stage.sh: KBTF, BASE, TYPES, HEADERS, INSIDE; with --tree KBTF, TYPES and OBJECT_SOURCE,
# the source of the kernel's own object. HEADERS is the directory that the kernel
# was built in, with its key.

set -euo pipefail
export LC_ALL=C

tree=
if [ "$1" = --tree ]; then
    tree=1
    shift
fi
folder=$(realpath -m "$1")
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
: "${KBTF:?}"
[ -n "$tree" ] || : "${BASE:?}" "${HEADERS:?}"
INSIDE=${INSIDE-}
# The builds must not join the calling make's build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BTF_BASE M V O
unset "${!KBUILD_@}"

# kbuild does not support blanks in paths.
if [ -n "$INSIDE" ]; then work=$(mktemp -d "$INSIDE/kbtf-selftest.XXXXXX"); else work=$(mktemp -d); fi
trap 'rm -rf "$work"' EXIT
rm -rf "$folder/root" "$folder/initramfs"
mkdir -p "$folder/root"/{dev,proc,sys,tmp,sbin}

make -s -C "$here" O="$folder/build" VMLINUX="${TYPES:-${BASE-}}" KBTF="$KBTF" preload \
    "$folder/build/preloaded/init" "$folder/build/preloaded/modprobe"

# packed: what is in DIR/root, and the programs, as initramfs.
packed() {
    cp "$folder/build/preloaded/init" "$folder/root/init"
    cp "$folder/build/preloaded/modprobe" "$folder/root/sbin/modprobe"
    mknod -m 600 "$folder/root/dev/console" c 5 1
    (cd "$folder/root" && find . | sort | cpio --quiet -o -H newc) | gzip -1 >"$folder/initramfs"
}

# in_tree NAME ARGUMENTS...: the module's directory in DIR/objects, which kbuild reaches.
in_tree() {
    local name=$1
    shift
    "$KBTF" gen module -q "$@" -o "$folder/objects/$name"
    echo "source \"drivers/kbtf/$name/Kconfig\"" >>"$folder/objects/Kconfig"
    echo "obj-\$(CONFIG_BPF_OBJECT_${name^^}) += $name/" >>"$folder/objects/Makefile"
}
if [ -n "$tree" ]; then
    progs=$folder/build/progs/preload
    rm -rf "$folder/objects"
    mkdir "$folder/objects"
    # The kernel's own object, by the name that its file gives it.
    ${CLANG:-clang-16} -g -O2 --target=bpf -mlittle-endian -idirafter "/usr/include/$(gcc -print-multiarch)" \
        -c "$OBJECT_SOURCE" -o "$work/iterators.bpf.o"
    in_tree iterators_bpf --mode preload "$work/iterators.bpf.o"
    in_tree policy --mode preload --name policy "$progs/policy.bpf.o"
    in_tree guard --mode preload --name guard "$progs/guard.bpf.o"
    in_tree unlisted --mode preload --name unlisted "$progs/variables.bpf.o"
    # It offers an object that another one has already.
    in_tree published --publish list_maps=maps.debug,list_progs=progs.debug --name published "$progs/iterators.bpf.o"
    echo "bpf-preload,policy,guard" >"$folder/list"
    packed
    exit
fi
mkdir "$folder/root"/{modules,later}

# object NAME OBJECT: a module made of the object.
object() {
    "$KBTF" gen module -q --mode preload --name "$1" -o "$work/$1" "$folder/build/progs/$2.bpf.o"
    echo "obj-m += $1/" >>"$work/Kbuild"
}
object policy preload/policy
object events preload/events
object guard preload/guard
object broken unloadable/refused
object unsealed preload/variables
object late preload/variables
cp -r "$here/modules/kbtf_preload_half" "$work/"
echo "obj-m += kbtf_preload_half/" >>"$work/Kbuild"

# in_root COMMAND...: where the kernel was built.
in_root() {
    if [ -n "$INSIDE" ]; then
        # objtool and make need /proc.
        # shellcheck disable=SC2016  # the inner shell expands these
        unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$INSIDE" "$@"
    else
        "$@"
    fi
}
in_root make -s -C "$HEADERS" M="${work#"$INSIDE"}" W=1 CONFIG_DEBUG_INFO_BTF_MODULES= modules 2>"$work/said" ||
    { cat "$work/said" >&2; exit 1; }
[ ! -s "$work/said" ] || { cat "$work/said" >&2; echo "the build is to say nothing" >&2; exit 1; }

mkdir "$work/signed"
cp "$INSIDE$HEADERS/kernel/bpf/preload/bpf_preload.ko" "$work/signed/"
find "$work" -path "$work/signed" -prune -o -name '*.ko' -exec cp -t "$work/signed" {} +
for ko in "$work/signed"/*.ko; do
    strip --strip-debug "$ko"
    case $ko in */unsealed.ko) continue ;; esac
    in_root "$HEADERS/scripts/sign-file" sha256 "$HEADERS/certs/signing_key.pem" \
        "$HEADERS/certs/signing_key.x509" "${ko#"$INSIDE"}"
done
mv "$work/signed"/*.ko "$folder/root/modules/"
mv "$folder/root/modules/late.ko" "$folder/root/later/"
packed
# With an empty item, duplicates, a dash for an underscore, blanks' place, and a name that is none.
echo "bpf-preload,policy,,events,policy,guard,broken,unsealed,no_such,late,../bad,kbtf-preload-half,events" >"$folder/list"
