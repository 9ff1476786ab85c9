#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# kernels.sh [NAME]...: builds small kernels with the patches of kbuild/patches (default: 6.12 7.2). A NAME is a
# series, or a series and a variant, SERIES-VARIANT, configured by kbuild/config/patched-VARIANT.config:
#
#   6.12-other   its modules fit the kernel of the name without the variant, whose types have other ids
#   6.12-builtin has the kernel's own preloaded iterators built in
#   6.12-kasan   watches each access to memory, and memory that is not freed
#   6.12-objects has no loadable modules, and BPF objects built in: the directories and the two files Kconfig and Makefile
#                of the directory that OBJECTS in the environment names
#   6.12-plain   has the configuration of the name without the variant, and none of the patches
#
# Each series has a directory, which `kernels.sh --directory NAME` prints:
#
#   linux/         source with the patches
#   linux-objects/ the same with OBJECTS in drivers/kbtf
#   linux-plain/   source without the patches
#   build/         objects, vmlinux, modules, arch/x86/boot/bzImage; build-VARIANT/ likewise, which begins as a copy
#   build/done     what it was built from; nothing is done while that stays the same
#
# That of 7.2 and later is inside the root of sid, whose compiler they need; `--inside NAME` prints where it is for
# programs that run there, and nothing for others. Objects are kept, so that only what changed is compiled.
# `--patch SERIES` only patches the source, and makes linux-objects/ if there are OBJECTS. Needs root, and the network for what is missing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(dirname "$here")
# shellcheck source-path=SCRIPTDIR source=../Tests/Conformance/common.sh
source "$repo/Tests/Conformance/common.sh"

SID=$CACHE/peers/sid
PATCHES=$repo/kbuild/patches
CONFIG=$repo/kbuild/config
JOBS=${JOBS:-$(nproc)}

series_of() { echo "${1%%-*}"; }
variant_of() { if [ "$1" != "${1#*-}" ]; then echo "-${1#*-}"; fi; }

# Nothing for series that the host's compiler builds.
inside() { case $1 in 6.*) ;; *) echo "/patched/$1" ;; esac; }
place() { case $1 in 6.*) echo "$CACHE/patched/$1" ;; *) echo "$SID$(inside "$1")" ;; esac; }

# fragments NAME: what its configuration is made of.
fragments() {
    local variant
    variant=$(variant_of "$1")
    case $variant in
    -kasan) cat "$CONFIG/patched-kasan.config" ;;
    -objects) sed -E '/=m$|CONFIG_MODULE|DEBUG_INFO_BTF_MODULES/d' "$CONFIG/bpf-small.config" && cat "$CONFIG/patched-objects.config" ;;
    -plain) cat "$CONFIG/bpf-small.config" "$CONFIG/patched.config" ;;
    *) cat "$CONFIG/bpf-small.config" "$CONFIG/patched.config" ${variant:+"$CONFIG/patched$variant.config"} ;;
    esac
}

# kernel_make NAME ARGUMENTS...: in its build directory, which is build/ as long as that takes: objtool knows its own
# path, and all objects depend on it, so that elsewhere a copy of them would be compiled again.
kernel_make() {
    local series dir
    series=$(series_of "$1")
    dir=$(place "$series")
    export KERNEL_BUILD=$dir/build$(variant_of "$1") KERNEL_PLACE=$dir/build
    export KERNEL_SOURCE=$dir/linux KERNEL_SOURCE_PLACE=$dir/linux
    case $(variant_of "$1") in -objects | -plain) KERNEL_SOURCE+=$(variant_of "$1") ;; esac
    shift
    if [ -n "$(inside "$series")" ]; then
        dir=$(inside "$series")
        # objtool needs /proc.
        # shellcheck disable=SC2016  # the inner shell expands these
        env -u PWD -u OLDPWD unshare --mount sh -c 'cd / && mount --bind "$KERNEL_BUILD" "$KERNEL_PLACE" &&
            mount --bind "$KERNEL_SOURCE" "$KERNEL_SOURCE_PLACE" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$SID" make -s -j "$JOBS" -C "$dir/linux" O="$dir/build" "$@"
    else
        # shellcheck disable=SC2016
        unshare --mount sh -c 'mount --bind "$KERNEL_BUILD" "$KERNEL_PLACE" &&
            mount --bind "$KERNEL_SOURCE" "$KERNEL_SOURCE_PLACE" && exec "$@"' - \
            make -s -j "$JOBS" -C "$dir/linux" O="$dir/build" PAHOLE="$CACHE/peers/bin/pahole-1.32" "$@"
    fi
}

# pristine SERIES: the directory is a copy of the source, made of links: files in it are replaced, never changed.
pristine() {
    local dir tmp
    dir=$(place "$1")
    [ ! -e "$dir/linux/Makefile" ] || [ "$(cat "$dir/version")" != "$(source_version "$1")" ] || return 0
    rm -rf "$dir"
    mkdir -p "$dir"
    tmp=$(fresh "$dir/linux")
    cp -al "$CACHE/kbuild/linux-$1/." "$tmp/"
    source_version "$1" >"$dir/version"
    mv "$tmp" "$dir/linux"
}

source_version() { sed -n '2,5p' "$CACHE/kbuild/linux-$1/Makefile"; }

# patched SERIES: the source has the patches of today, and none of others; only files that differ get a new date.
patched() {
    local series=$1 dir patch tmp file
    dir=$(place "$series")
    tmp=$(fresh "$dir/patching")
    shopt -s nullglob
    local patches=("$PATCHES/$series"/*.patch)
    shopt -u nullglob
    [ ${#patches[@]} -gt 0 ] || die "no patches for $series"
    sed -n 's|^+++ b/||p; s|^--- a/||p' "${patches[@]}" | sort -u >"$tmp/files"
    mkdir "$tmp/new"
    while read -r file; do
        [ ! -e "$CACHE/kbuild/linux-$series/$file" ] || (cd "$CACHE/kbuild/linux-$series" && cp --parents "$file" "$tmp/new")
    done <"$tmp/files"
    for patch in "${patches[@]}"; do
        git -C "$tmp/new" apply --unsafe-paths --directory="$tmp/new" "$patch" >"$tmp/log" 2>&1 ||
            { cat "$tmp/log" >&2; die "$(basename "$patch") does not apply to $series"; }
    done
    # What an earlier run changed may be as it was now.
    sort -u "$tmp/files" "$dir/files" 2>/dev/null >"$tmp/all" || cp "$tmp/files" "$tmp/all"
    while read -r file; do
        local new=$tmp/new/$file
        [ -e "$new" ] || grep -qxF "$file" "$tmp/files" || new=$CACHE/kbuild/linux-$series/$file
        if [ ! -e "$new" ]; then
            rm -f "$dir/linux/$file"
        elif ! cmp -s "$new" "$dir/linux/$file"; then
            mkdir -p "$(dirname "$dir/linux/$file")"
            cp "$new" "$dir/linux/.new"
            mv -f "$dir/linux/.new" "$dir/linux/$file"
        fi
    done <"$tmp/all"
    mv "$tmp/files" "$dir/files"
    rm -rf "$tmp"
}

# with_objects SERIES: linux-objects/ is the patched source with OBJECTS in it.
with_objects() {
    local dir tmp file
    dir=$(place "$1")
    tmp=$(fresh "$dir/linux-objects")
    cp -al "$dir/linux/." "$tmp/"
    for file in Kconfig Makefile; do
        cp -p "$dir/linux/drivers/$file" "$tmp/.new"
        mv -f "$tmp/.new" "$tmp/drivers/$file"
    done
    echo 'source "drivers/kbtf/Kconfig"' >>"$tmp/drivers/Kconfig"
    echo 'obj-y += kbtf/' >>"$tmp/drivers/Makefile"
    cp -rp "$OBJECTS" "$tmp/drivers/kbtf"
    rm -rf "$dir/linux-objects"
    mv "$tmp" "$dir/linux-objects"
}

# without_patches SERIES: linux-plain/ is the source as it was, where what the patches change has a new date, as objects
# begin as copies of those that were compiled with them.
without_patches() {
    local dir tmp file source=$CACHE/kbuild/linux-$1
    dir=$(place "$1")
    tmp=$(fresh "$dir/linux-plain")
    cp -al "$source/." "$tmp/"
    while read -r file; do
        [ ! -e "$source/$file" ] || { cp "$source/$file" "$tmp/.new" && mv -f "$tmp/.new" "$tmp/$file"; }
    done <"$dir/files"
    rm -rf "$dir/linux-plain"
    mv "$tmp" "$dir/linux-plain"
}

# The root of sid has no program to make the key that modules are signed with.
with_openssl() {
    [ -n "$(inside "$1")" ] && [ ! -e "$SID/usr/bin/openssl" ] || return 0
    (
        echo "$(debian_uri) sid" | private_apt sid amd64
        export APT_CONFIG=$CACHE/apt-sid/apt.conf
        fetch openssl "$SID/tmp/openssl"
    )
    mv "$SID/tmp/openssl/usr/bin/openssl" "$SID/usr/bin/"
    mkdir -p "$SID/etc/ssl"
    [ -e "$SID/usr/lib/ssl/openssl.cnf" ] || cp -a "$SID/tmp/openssl/usr/lib/ssl/." "$SID/usr/lib/ssl/"
    cp -an "$SID/tmp/openssl/etc/ssl/." "$SID/etc/ssl/"
    rm -rf "$SID/tmp/openssl"
}

# configured NAME: its build directory has the configuration.
configured() {
    local name=$1 build line series
    series=$(series_of "$name")
    build=$(place "$series")/build$(variant_of "$name")
    fragments "$name" >"$build/.fragment"
    ! cmp -s "$build/.fragment" "$build/fragment" || return 0
    kernel_make "$name" tinyconfig
    # The last one wins.
    cat "$build/.fragment" >>"$build/.config"
    kernel_make "$name" olddefconfig 2>"$build/config.log"
    line=$(awk '/^CONFIG/ { wish[substr($0, 1, index($0, "=") - 1)] = $0 } /^# CONFIG/ { wish[$2] = $0 }
        END { for (symbol in wish) print wish[symbol] }' "$build/.fragment" | grep -vxFf "$build/.config" || true)
    [ -z "$line" ] || die "$name: the kernel does not accept" $line
    mv "$build/.fragment" "$build/fragment"
}

# key NAME: what it is built from.
key() {
    {
        source_version "$(series_of "$1")"
        [ "$(variant_of "$1")" = -plain ] || cat "$PATCHES/$(series_of "$1")"/*.patch
        fragments "$1"
        [ "$(variant_of "$1")" != -objects ] || (cd "$OBJECTS" && find . -type f | LC_ALL=C sort | xargs cat)
        cat "${BASH_SOURCE[0]}"
        if [ -n "$(inside "$(series_of "$1")")" ]; then chroot "$SID" gcc --version; else gcc --version; fi
    } | sha256sum | cut -d' ' -f1
}

kernel() {
    local name=$1 series build key tmp started=$SECONDS targets=(bzImage)
    series=$(series_of "$name")
    build=$(place "$series")/build$(variant_of "$name")
    [ "$(variant_of "$name")" != -objects ] || [ -n "${OBJECTS-}" ] || die "$name: OBJECTS names no directory"
    key=$(key "$name")
    [ "$(cat "$build/done" 2>/dev/null)" != "$key" ] || return 0
    status "$name: building the patched kernel"
    with_openssl "$series"
    pristine "$series"
    patched "$series"
    case $(variant_of "$name") in
    -objects) with_objects "$series" ;;
    -plain) without_patches "$series" ;;
    esac
    # Of a variant, what its configuration does not change is compiled already.
    if [ -n "$(variant_of "$name")" ] && [ ! -e "$build" ] && [ -e "$(place "$series")/build/done" ]; then
        tmp=$(fresh "$build")
        cp -a "$(place "$series")/build/." "$tmp/"
        mv "$tmp" "$build"
    fi
    mkdir -p "$(place "$series")/build" "$build"
    rm -f "$build/done"
    configured "$name"
    # A module that is only linked again would have no BTF.
    find "$build" -name '*.ko' -delete
    [ "$(variant_of "$name")" = -objects ] || targets=(bzImage modules)
    kernel_make "$name" "${targets[@]}" >"$build/log" 2>&1 || { tail -n 20 "$build/log" >&2; die "$name does not build"; }
    # For modules that are built against it, it is where it is.
    sed -i "s|/build\$|/build$(variant_of "$name")|" "$build/Makefile"
    echo "$key" >"$build/done"
    status "$name: ready, $(find "$build" -name '*.ko' | wc -l) modules, $((SECONDS - started)) s, $build"
}

case ${1-} in
--directory) place "$(series_of "$2")" && exit ;;
--inside) inside "$(series_of "$2")" && exit ;;
esac

[ $# -gt 0 ] || set -- 6.12 7.2
only_patch=
if [ "$1" = --patch ]; then
    only_patch=1
    shift
fi
for name; do
    # Two runs may build two series.
    exec 9>"$CACHE/kernels-$(series_of "$name").lock"
    flock -n 9 || die "$name: already running"
    bash "$repo/Tests/Conformance/kbuild-inputs.sh" --source "$(series_of "$name")" >/dev/null
    if [ -n "$only_patch" ]; then
        pristine "$name"
        patched "$name"
        [ -z "${OBJECTS-}" ] || with_objects "$name"
    else
        kernel "$name"
    fi
done
