#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: broken systems made of Debian's packages, and what `kbtf doctor` says about them.
#
# A system is a directory with a kernel's package, its headers and modules that its kbuild made. Each is broken in one
# way by ordinary tools (strip, objcopy, ld -r), and doctor has to name that cause and no other; where it names a cure of
# its own, the cure is applied, and then nothing may be wrong.

# broken NAME CAUSE: `ROOT` is broken already.
broken() {
    local name=$1 cause=$2 report found
    report=$("$KBTF" doctor --json "$ROOT") || true
    found=$(jq -r '[.troubles[].cause] | unique | join(" ")' <<<"$report")
    if [ "$found" != "$cause" ]; then
        verdict "doctor $name" 1 "expected ${cause:-nothing}, found ${found:-nothing}"
    elif jq -e '.troubles[0].cure_tried == "works"' <<<"$report" >/dev/null; then
        { "$KBTF" doctor --fix --yes -q "$ROOT" && "$KBTF" doctor -q "$ROOT"; } >"$WORK/doctor/fix" 2>&1
        verdict "doctor $name" "$?" "$cause, cured"
    else
        verdict "doctor $name" 0 "${cause:-nothing is wrong}"
    fi
}

# system: a fresh one in ROOT, with forty modules of the kernel and one of DKMS.
system() {
    local from=$CACHE/images/$RELEASE
    rm -rf "${ROOT:?}"
    MODULES=$ROOT/lib/modules/$RELEASE
    OWN=$MODULES/updates/dkms/kbtf_own.ko
    mkdir -p "$ROOT/boot" "$MODULES/updates/dkms" "$ROOT/var/lib/dpkg" "$ROOT/usr/bin" "$ROOT/var/log"
    cp "$from/boot/vmlinuz-$RELEASE" "$from/boot/config-$RELEASE" "$ROOT/boot/"
    (cd "$from/lib/modules/$RELEASE" && find kernel -name '*.ko' | awk 'NR % 28 == 0' | cpio -pdm --quiet "$MODULES")
    : >"$ROOT/var/log/dmesg"
    BUILD=$MODULES/build
    mkdir -p "$BUILD/tools/bpf/resolve_btfids"
    (cd "/lib/modules/$RELEASE/build" && cp --parents include/config/{kernel.release,auto.conf} Module.symvers Makefile "$BUILD")
    cp "$WORK/doctor/vmlinux" "$BUILD/vmlinux"
    cp "$KBTF" "$BUILD/tools/bpf/resolve_btfids/resolve_btfids"
    pahole_of 1.25-0.1
    cp "$WORK/doctor/own.ko" "$OWN"
}

# pahole_of VERSION: the package that the system has.
pahole_of() { printf 'Package: pahole\nStatus: install ok installed\nVersion: %s\n\n' "$1" >"$ROOT/var/lib/dpkg/status"; }

# dkms_package: one that DKMS is to build for every kernel.
dkms_package() {
    DKMS_FOLDER=$ROOT/var/lib/dkms/kbtf_own/1.0
    mkdir -p "$DKMS_FOLDER/source"
    printf 'PACKAGE_NAME="kbtf_own"\nPACKAGE_VERSION="1.0"\nAUTOINSTALL="yes"\n' >"$DKMS_FOLDER/source/dkms.conf"
}

# patch_file FILE OFFSET: writes standard input there.
patch_file() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# own_module: a module with a kfunc set, with split BTF and debug information.
own_module() {
    local dir=$WORK/doctor/own
    mkdir -p "$dir"
    cat >"$dir/kbtf_own.c" <<'C'
#include <linux/module.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>

struct kbtf_own { struct task_struct *task; int count; };

int kbtf_own_count(struct kbtf_own *own);
noinline int kbtf_own_count(struct kbtf_own *own) { return own->count; }

BTF_SET8_START(kbtf_own_ids)
BTF_ID_FLAGS(func, kbtf_own_count)
BTF_SET8_END(kbtf_own_ids)

static const struct btf_kfunc_id_set kbtf_own_set = { .owner = THIS_MODULE, .set = &kbtf_own_ids };

static int __init kbtf_own_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &kbtf_own_set);
}
static void __exit kbtf_own_exit(void) {}
module_init(kbtf_own_init);
module_exit(kbtf_own_exit);
MODULE_LICENSE("GPL");
C
    echo 'obj-m := kbtf_own.o' >"$dir/Makefile"
    make -s -C "/lib/modules/$RELEASE/build" M="$dir" modules >"$dir/log" 2>&1 &&
        cp "$dir/kbtf_own.ko" "$WORK/doctor/plain.ko" && cp "$dir/kbtf_own.ko" "$WORK/doctor/own.ko" &&
        objcopy -R .BTF "$WORK/doctor/plain.ko" && "$KBTF" encode -q --base "$1" "$WORK/doctor/own.ko"
}

# other_kernel: BTF of another build of the kernel: one more type, first.
other_kernel() {
    echo 'struct kbtf_first { long a; struct kbtf_first *b; } kbtf_first; int main(void) { return 0; }' |
        cc -g -c -x c -o "$WORK/doctor/first.o" - &&
        cp "$WORK/doctor/first.o" "$WORK/doctor/first_btf.o" && "$KBTF" encode -q --standalone "$WORK/doctor/first_btf.o" &&
        "$KBTF" encode -q --standalone --detached "$WORK/doctor/other.btf" "$WORK/doctor/first.o"
}

# unpacked_kernel IMAGE: the vmlinux in an image of Debian 12, which is packed by lz4; something follows it there.
unpacked_kernel() {
    local offset
    offset=$(LC_ALL=C grep -obUaP '\x02\x21\x4c\x18' "$1" | head -n 1 | cut -d: -f1)
    # lz4 complains of what follows.
    tail -c "+$((offset + 1))" "$1" | lz4 -dc 2>/dev/null || true
}

run_doctor() {
    local image
    RELEASE=$("$REPO/selftests/setup.sh" --release)
    image=$CACHE/images/$RELEASE/boot/vmlinuz-$RELEASE
    ROOT=$WORK/doctor/root
    mkdir -p "$WORK/doctor"
    # Headers of 6.12 and later have a vmlinux.
    {
        unpacked_kernel "$image" >"$WORK/doctor/vmlinux" &&
            own_module "$image" && other_kernel
    } >"$WORK/doctor/made" 2>&1 || { verdict "doctor" 1 "$(tail -n 1 "$WORK/doctor/made")"; return; }

    system; broken "healthy" ""
    system; rm "$BUILD/vmlinux"; broken "healthy, headers without vmlinux" ""
    system; rm -r "$BUILD"; broken "healthy, no headers" ""
    system; xz --check=crc32 "$OWN"; broken "healthy, a compressed module" ""
    system; { head -c 4096 /dev/urandom; printf '\n[    1.0] usb 1-1: failed to validate the configuration: -22\n'; } >"$ROOT/var/log/dmesg"
    broken "healthy, junk and another driver's trouble in the log" ""
    system; dkms_package; mkdir -p "$DKMS_FOLDER/$RELEASE/x86_64/module"; cp "$OWN" "$DKMS_FOLDER/$RELEASE/x86_64/module/"
    broken "healthy, built by DKMS" ""

    system; cp "$WORK/doctor/plain.ko" "$OWN"; "$KBTF" encode -q --no-mark --base "$WORK/doctor/other.btf" "$OWN"
    broken "BTF of another kernel" other-base
    system; cp "$WORK/doctor/plain.ko" "$OWN"; "$KBTF" encode -q --base "$WORK/doctor/other.btf" "$OWN"
    strip --strip-debug --keep-section=.BTF "$OWN"; broken "... marked, without debug information" other-base
    system; objcopy -R .BTF "$(find "$MODULES/kernel" -name '*.ko' | head -n 1)"; broken "the kernel's module stripped" "signature-gone stripped"
    system; strip --strip-debug -R .BTF "$OWN"; broken "a marked module stripped" stripped
    system; printf '\237\353\1\0\30%019d' 0 | tr 0 '\0' >"$WORK/doctor/husk"; objcopy --update-section .BTF="$WORK/doctor/husk" "$OWN"
    broken "a header alone" husk
    system; : >"$WORK/doctor/empty"; objcopy --update-section .BTF="$WORK/doctor/empty" "$OWN"; broken "an empty section" husk
    system; cp "$WORK/doctor/plain.ko" "$OWN"; broken "built without vmlinux" btf-skipped
    system; rm "$BUILD/vmlinux"; cp "$WORK/doctor/plain.ko" "$OWN"; strip --strip-debug "$OWN"
    broken "... and stripped of debug information" btf-skipped
    system; printf '\0\0\0\0' >>"$OWN"; objcopy --update-section .BTF_ids=<(head -c 16 /dev/zero) "$OWN"; broken "ids left out" kfuncs-refused
    system; ld -r -o "$WORK/doctor/two.ko" "$OWN" "$WORK/doctor/first_btf.o"; cp "$WORK/doctor/two.ko" "$OWN"; broken "linked again" relinked
    system; echo 'CONFIG_MODULE_SIG_FORCE=y' >>"$BUILD/include/config/auto.conf"; broken "not signed" unsigned
    system; sed -i 's/^0x\([0-9a-f]*\)\t\(module_layout\|_printk\|__fentry__\)\t/0x12345678\t\2\t/' "$BUILD/Module.symvers"
    broken "other symbols" symbol-versions
    system; sed -i "s/vermagic=6\.1/vermagic=6.2/" "$OWN"; sed -i 's/modversions/modversionz/' "$OWN"; broken "for another kernel" vermagic
    system; pahole_of 1.22-1; broken "pahole is old" pahole-too-old
    system; : >"$ROOT/var/lib/dpkg/status"; broken "no pahole" pahole-missing
    system; rm "$BUILD/tools/bpf/resolve_btfids/resolve_btfids"; broken "no resolve_btfids" wrong-tool
    system; chmod -x "$BUILD/tools/bpf/resolve_btfids/resolve_btfids"; broken "resolve_btfids is no program" wrong-tool
    system; head -c 4096 "$WORK/doctor/vmlinux" >"$BUILD/vmlinux"; broken "vmlinux is cut off" no-headers
    system; head -c 4096 "$WORK/doctor/own.ko" >"$OWN"; broken "a module is cut off" damaged-file

    system; printf 'tail' >>"$(find "$MODULES/kernel" -name '*.ko' | head -n 1)"; broken "bytes behind a signature" signature-gone
    # Of modules whose files are gone.
    system; echo '[    1.0] Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7' >"$ROOT/var/log/dmesg"
    broken "lockdown refuses a module" unsigned
    system; echo '[    1.0] Loading of unsigned module is rejected' >"$ROOT/var/log/dmesg"; broken "a module without a signature is rejected" unsigned
    # One function with flags, whose id is that of the first type.
    system; printf '\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0' >"$WORK/doctor/ids"
    objcopy --update-section .BTF_ids="$WORK/doctor/ids" "$OWN"; broken "ids of another type" kfuncs-refused
    system; content "$OWN" __versions >"$WORK/doctor/versions"; printf '\1\2\3\4' | patch_file "$WORK/doctor/versions" 0
    objcopy --update-section __versions="$WORK/doctor/versions" "$OWN"; broken "a checksum of its own" symbol-versions
    system; sed -i 's/\(vermagic=[^ ]*\) SMP /\1 UMP /' "$OWN"; broken "for a kernel without SMP" vermagic
    system; printf '\267\0' | patch_file "$OWN" 18; broken "for arm64" other-machine
    system; printf '\267\0' | patch_file "$BUILD/tools/bpf/resolve_btfids/resolve_btfids" 18; broken "resolve_btfids for arm64" wrong-tool
    system; cp "$WORK/doctor/first_btf.o" "$BUILD/vmlinux"; broken "vmlinux of another build" no-headers
    system; content "$OWN" .BTF >"$WORK/doctor/damaged"; printf '\37' | patch_file "$WORK/doctor/damaged" 31
    objcopy --update-section .BTF="$WORK/doctor/damaged" "$OWN"; broken "a type of no kind" damaged-btf
    system; dkms_package; rm "$OWN"; broken "not built by DKMS" not-built
    system; echo '[    1.0] kbtf_gone: Unknown symbol kbtf_missing (err -2)' >"$ROOT/var/log/dmesg"; broken "an unknown symbol" unknown-symbol
    system; cp "$WORK/doctor/plain.ko" "$OWN"; "$KBTF" encode -q --no-mark --base "$image" "$OWN"
    ld -r -o "$WORK/doctor/two.ko" "$OWN" "$WORK/doctor/first_btf.o"; cp "$WORK/doctor/two.ko" "$OWN"; broken "linked again, without a mark" relinked

    (cd "$WORK/doctor" && apt-get -qq -o APT::Sandbox::User=root download "linux-image-$RELEASE") 2>/dev/null
    "$KBTF" doctor "$WORK/doctor"/linux-image-*.deb >"$WORK/doctor/package" 2>&1
    verdict "doctor the kernel's package" "$?" "$(head -n 1 "$WORK/doctor/package")"
}
