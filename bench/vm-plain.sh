#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# vm-plain.sh KERNEL MODULE BTF: what people write by hand. Packs busybox, the module and the BTF that it has into
# an initramfs, boots KERNEL in QEMU without acceleration, loads the module, compares what sysfs has, and looks for
# the result on the console. Prints one line; exit status 1 when it is not "ok".

set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/proc" "$work/root/sys" "$work/root/dev"
cp /bin/busybox "$work/root/bin/busybox"
cp "$2" "$work/root/module.ko"
cp "$3" "$work/root/module.btf"
cat >"$work/root/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b insmod /module.ko && name=$($b sed -n '1s/ .*//p' /proc/modules) &&
    $b cmp /module.btf "/sys/kernel/btf/$name" && echo "result: ok" || echo "result: not ok"
$b poweroff -f
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc --quiet) >"$work/initramfs"
timeout 120 qemu-system-x86_64 -accel tcg -cpu max -m 1024 -nographic -no-reboot -kernel "$1" \
    -initrd "$work/initramfs" -append "console=ttyS0 panic=-1" >"$work/log" </dev/null
tr -d '\r' <"$work/log" | grep '^result: ok$'
