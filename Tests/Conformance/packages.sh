#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: the Debian package in a bare bookworm system, with DKMS and two kernels.
#
# Installed, used, purged: what DKMS builds for both kernels has BTF of that kernel, the hook of new kernels says what
# doctor says and fails nothing, and afterwards every file is as before. lintian looks at the package in a system of its
# own.

# bookworm_sources: for mmdebstrap, as this machine has them: bookworm, and its updates that concern security.
bookworm_sources() {
    debian_sources | while read -r uri suite; do
        [[ ! $suite =~ ^bookworm(-updates|-security)?$ ]] || echo "deb [signed-by=$DEBIAN_KEYRING] $uri $suite main"
    done
}

# bare_root DIR PACKAGE: a bookworm with that package and what it depends on.
bare_root() {
    bookworm_sources | mmdebstrap --quiet --mode=root --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
        --include="$2" bookworm "$1" -
}

# package_roots: made once. The first is only ever copied.
package_roots() {
    local tmp release
    PACKAGE_ROOT=$CACHE/package-roots/bookworm LINTIAN_ROOT=$CACHE/package-roots/lintian
    mkdir -p "$CACHE/package-roots"
    if [ ! -d "$PACKAGE_ROOT" ]; then
        tmp=$(fresh "$PACKAGE_ROOT")
        bare_root "$tmp" dkms
        chroot "$tmp" apt-get -qq update
        # 6.1, and the 6.12 that Debian 12 has besides.
        for release in linux-image-cloud-amd64 linux-image-6.12-cloud-amd64; do
            chroot "$tmp" apt-get -qq -y install --no-install-recommends "$release" "${release/image/headers}"
        done
        chroot "$tmp" apt-get clean
        mv "$tmp" "$PACKAGE_ROOT"
    fi
    if [ ! -d "$LINTIAN_ROOT" ]; then
        tmp=$(fresh "$LINTIAN_ROOT")
        bare_root "$tmp" lintian
        mv "$tmp" "$LINTIAN_ROOT"
    fi
}

# in_root COMMAND...: in the copy, with nothing of this machine's environment.
in_root() {
    chroot "$PACKAGES/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}

# files: all of them but what dpkg and apt keep of their own, and DKMS's key.
files() {
    (cd "$PACKAGES/root" && find . -path ./proc -prune -o -path ./sys -prune -o -path ./dev -prune -o \
        -path ./var/lib/dpkg -prune -o -path ./var/cache -prune -o -path ./var/log -prune -o -path ./tmp -prune -o -name 'mok.*' -o -print) | sort
}

# dkms_module: the sources of a small one.
dkms_module() {
    local dir=$PACKAGES/root/usr/src/kbtf-hello-1.0
    mkdir -p "$dir"
    cat >"$dir/kbtf_hello.c" <<'C'
#include <linux/module.h>

struct kbtf_hello { struct task_struct *task; int count; };

int kbtf_hello_count(struct kbtf_hello *hello);
noinline int kbtf_hello_count(struct kbtf_hello *hello) { return hello->count; }

static int __init kbtf_hello_init(void)
{
	struct kbtf_hello hello = { current, 0 };

	return kbtf_hello_count(&hello);
}
static void __exit kbtf_hello_exit(void) {}
module_init(kbtf_hello_init);
module_exit(kbtf_hello_exit);
MODULE_LICENSE("GPL");
C
    echo 'obj-m := kbtf_hello.o' >"$dir/Makefile"
    printf '%s\n' 'PACKAGE_NAME="kbtf-hello"' 'PACKAGE_VERSION="1.0"' 'BUILT_MODULE_NAME[0]="kbtf_hello"' \
        'DEST_MODULE_LOCATION[0]="/updates"' 'AUTOINSTALL="yes"' >"$dir/dkms.conf"
}

# tried NAME COMMAND...: a verdict on whether COMMAND succeeds; the last line of its output is shown.
tried() {
    local name=$1 status=0
    shift
    "$@" >"$PACKAGES/out" 2>&1 || status=$?
    verdict "packages: $name" "$status" "$(tail -n 1 "$PACKAGES/out")"
}

installed_works() {
    in_root kbtf --version && in_root kbtf-make --version &&
        [ -s "$PACKAGES/root/usr/share/man/man1/kbtf-encode.1.gz" ] &&
        [ -s "$PACKAGES/root/usr/share/bash-completion/completions/kbtf" ]
}

# module_of RELEASE: what DKMS installed, as a path in the root.
module_of() { (cd "$PACKAGES/root" && find "lib/modules/$1/updates" -name 'kbtf_hello.ko*' -printf '/%p\n'); }

has_btf() {
    local module
    module=$(module_of "$1")
    in_root kbtf info --no-cache --json "$module" | jq -e '.files[0] | .kind == "split" and .check == "sound"' &&
        in_root kbtf dump --no-cache --format c "$module" kbtf_hello | grep 'struct task_struct \*task' &&
        in_root kbtf info --no-cache "$module"
}

# optional RELEASE: a module that cannot be encoded is installed as it would be without kbtf.
optional() {
    local module
    in_root env KBTF_FLAGS=--no-such-option dkms install kbtf-hello/1.0 -k "$1" && module=$PACKAGES/root$(module_of "$1") &&
        [ -f "$module" ] && ! readelf -SW "$module" | grep -F .BTF && in_root dkms unbuild kbtf-hello/1.0 -k "$1"
}

# encoded RELEASE: a module that was built without DKMS.
encoded() {
    local dir=$PACKAGES/root/tmp/hello
    mkdir -p "$dir"
    cp "$PACKAGES"/root/usr/src/kbtf-hello-1.0/* "$dir/" &&
        in_root make -C "/lib/modules/$1/build" M=/tmp/hello modules &&
        in_root kbtf encode --no-cache /tmp/hello/kbtf_hello.ko && in_root kbtf check --no-cache /tmp/hello/kbtf_hello.ko
}

# hook RELEASE: as an image's postinst calls it.
hook() {
    in_root run-parts --report --exit-on-error --regex '^zz-kbtf$' --arg="$1" --arg="/boot/vmlinuz-$1" /etc/kernel/postinst.d
}

silent() { [ -z "$("$@" 2>&1)" ]; }

# names_stripped RELEASE: the hook says of a module without BTF what doctor says, and succeeds.
names_stripped() {
    local mine=$PACKAGES/root/lib/modules/$1/updates/mine.ko said
    cp "$PACKAGES/root/tmp/hello/kbtf_hello.ko" "$mine" && objcopy -R .BTF "$mine" && said=$(hook "$1" 2>&1) || return 1
    rm "$mine"
    grep 'updates/mine.ko' <<<"$said"
}

nothing_left() { diff "$PACKAGES/before" "$PACKAGES/after"; }

run_packages() {
    local release releases deb
    PACKAGES=$WORK/packages
    mkdir -p "$PACKAGES"
    package_roots
    tried "make deb" make -C "$REPO" SCRATCH="$(realpath --relative-to="$REPO" "$SCRATCH")" deb
    deb=$(find "$SCRATCH/deb" -maxdepth 1 -name 'kbtf_*.deb' | head -n 1)
    [ -n "$deb" ] || return 0

    cp "$deb" "$LINTIAN_ROOT/tmp/"
    tried "lintian" chroot "$LINTIAN_ROOT" lintian --allow-root --fail-on error,warning "/tmp/${deb##*/}"
    rm "$LINTIAN_ROOT/tmp/${deb##*/}"

    cp -a "$PACKAGE_ROOT" "$PACKAGES/root"
    mount -t proc proc "$PACKAGES/root/proc"
    mount --bind /dev "$PACKAGES/root/dev"
    # shellcheck disable=SC2064
    trap "umount '$PACKAGES/root/proc' '$PACKAGES/root/dev'" EXIT
    files >"$PACKAGES/before"
    cp "$deb" "$PACKAGES/root/tmp/"
    tried "install" in_root dpkg -i "/tmp/${deb##*/}"
    tried "what is installed works" installed_works

    dkms_module
    releases=$(cd "$PACKAGES/root/lib/modules" && echo *)
    tried "kbtf encode" encoded "${releases%% *}"
    tried "dkms add" in_root dkms add kbtf-hello/1.0
    tried "KBTF_OPTIONAL" optional "${releases%% *}"
    for release in $releases; do
        tried "dkms install, $release" in_root dkms install kbtf-hello/1.0 -k "$release"
        tried "BTF, $release" has_btf "$release"
        tried "hook, $release" silent hook "$release"
    done
    tried "hook, a stripped module" names_stripped "${releases%% *}"

    tried "dkms remove" in_root dkms remove kbtf-hello/1.0 --all
    rm -rf "$PACKAGES/root/usr/src/kbtf-hello-1.0"
    tried "purge" in_root dpkg --purge kbtf
    files >"$PACKAGES/after"
    tried "nothing is left" nothing_left
    umount "$PACKAGES/root/proc" "$PACKAGES/root/dev"
    trap - EXIT
    rm -rf "$PACKAGES/root"
}
