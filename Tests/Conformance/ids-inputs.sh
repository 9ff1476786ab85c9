#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches what the checks of ids.sh read, besides what inputs.sh fetches:
#
#   $CACHE/sources/<series>/                   of the kernel's source: the selftest of resolve_btfids and its headers
#   $CACHE/peers/bin/resolve_btfids-<series>   the kernel's own tool, built from that source
#   $CACHE/kernels/7.*-modules/release         the same kernel as kernels/7.2, 7.3
#   $CACHE/kernels/7.*-modules/shipped/        its modules as they ship, uncompressed: all with .BTF_ids, and others up to 200
#   $CACHE/kernels/7.*-modules/debug/          their debug files, as under /usr/lib/debug
#
# Needs the network only for what is missing; installs nothing.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

COUNT=200
TOOL=tools/bpf/resolve_btfids
SELFTESTS=tools/testing/selftests/bpf

# source_of SERIES PACKAGE: the tool's and its test's files; builds the tool.
source_of() {
    local series=$1 package=$2 dir=$CACHE/sources/$1 tmp
    [ ! -e "$dir/ready" ] || [ ! -x "$CACHE/peers/bin/resolve_btfids-$series" ] || return 0
    status "$series: fetching $package"
    tmp=$(fresh "$dir")
    fetch "$package" "$tmp/package"
    mkdir -p "$tmp/tree" "$CACHE/peers/bin"
    xz -T2 -dc "$tmp/package/usr/src/$package.tar.xz" |
        tar -C "$tmp/tree" --strip-components=1 -xf - \
            "$package"/tools/{lib,include,build,scripts,arch} "$package"/{scripts,kernel/bpf} "$package/$TOOL" \
            "$package/$SELFTESTS"/{prog_tests/resolve_btfids.c,progs/btf_data.c}
    rm -rf "$tmp/package"
    make -s -j2 -C "$tmp/tree/$TOOL" >"$tmp/log" 2>&1 ||
        { tail -n 20 "$tmp/log" >&2; die "resolve_btfids of $series does not build"; }
    install -m755 "$tmp/tree/$TOOL/resolve_btfids" "$CACHE/peers/bin/.resolve_btfids-$series"
    mv "$CACHE/peers/bin/.resolve_btfids-$series" "$CACHE/peers/bin/resolve_btfids-$series"
    # What the test needs to be built by hand.
    mkdir -p "$tmp/kept"
    (cd "$tmp/tree" && cp -a --parents "$SELFTESTS" tools/include "$tmp/kept")
    rm -rf "$tmp/tree"
    mv "$tmp/kept"/* "$tmp/"
    rmdir "$tmp/kept"
    : >"$tmp/ready"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "$series: resolve_btfids ready"
}

# chosen DIR: of the modules below it, those with .BTF_ids, then others evenly spread, up to COUNT.
chosen() {
    (cd "$1" && find . -name '*.ko' -printf '%P\n' | sort | while read -r ko; do
        if section "$ko" .BTF_ids >/dev/null; then echo "0 $ko"; else echo "1 $ko"; fi
    done) | awk -v count="$COUNT" '
        $1 == 0 { print $2; with++; next }
        { others[n++] = $2 }
        END {
            left = count - with
            for (i = 0; i < left && i < n; i++) print others[int(i * n / left)]
        }'
}

# modules SERIES
modules() {
    local dir=$CACHE/kernels/$1-modules release tmp ko
    [ ! -e "$dir/release" ] || { status "$1-modules: have $(<"$dir/release")"; return 0; }
    release=$(<"$CACHE/kernels/$1/release")
    status "$1-modules: fetching $release"
    tmp=$(fresh "$dir")
    fetch "linux-modules-$release" "$tmp/package"
    (cd "$tmp/package/usr/lib/modules/$release" && find . -name '*.ko.xz' -printf '%P\n') | while read -r ko; do
        mkdir -p "$tmp/all/$(dirname "$ko")"
        xz -dc "$tmp/package/usr/lib/modules/$release/$ko" >"$tmp/all/${ko%.xz}"
    done
    chosen "$tmp/all" >"$tmp/list"
    mkdir "$tmp/shipped"
    (cd "$tmp/all" && xargs cp --parents -t "$tmp/shipped" <"$tmp/list")
    rm -rf "$tmp/all" "$tmp/package"
    sed "s|^|./usr/lib/debug/lib/modules/$release/|" "$tmp/list" >"$tmp/members"
    fetch_some "linux-image-$release-dbg" "$tmp/debug" grep -Fxf "$tmp/members"
    [ "$(find "$tmp/debug" -name '*.ko' | wc -l)" = "$(wc -l <"$tmp/list")" ] || die "$1-modules: debug files are missing"
    rm "$tmp/members"
    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "$1-modules: ready, $(wc -l <"$dir/list") modules, $(du -sh "$dir" | cut -f1)"
}

# link_debug SERIES: the debug files by build id too, as they are looked up.
link_debug() {
    local root=$CACHE/kernels/$1-modules/debug/usr/lib/debug ko id
    [ ! -d "$root/.build-id" ] || return 0
    find "$root/lib" -name '*.ko' | while read -r ko; do
        id=$(readelf -n "$ko" 2>/dev/null | sed -n 's/^ *Build ID: //p' || true)
        mkdir -p "$root/.build-id.tmp/${id:0:2}"
        ln -s "../../${ko#"$root/"}" "$root/.build-id.tmp/${id:0:2}/${id:2}.debug"
    done
    mv "$root/.build-id.tmp" "$root/.build-id"
}

lock
for series in 6.1 6.12; do source_of "$series" "linux-source-$series"; done
echo "$(debian_uri) sid" | private_apt sid amd64
export APT_CONFIG=$CACHE/apt-sid/apt.conf
source_of 7.2 linux-source-7.2
modules 7.2
link_debug 7.2
APT_CONFIG=$(later_apt)
source_of 7.3 linux-source-7.3
modules 7.3
link_debug 7.3
status "all inputs for ids ready"
