#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: pages of `kbtf size --html` in a real browser, headless Chromium. Their structure is compared, not
# pixels: every rectangle lies inside that of what it is a part of, beside all others, no label leaves its box or lies on
# another one, text has the contrast that WCAG 2 asks for, nothing is wider than the window; light and dark, in windows of
# three widths, without scripts and without a network. size/page.js has the list. Then pages are broken, one way each,
# and that has to be noticed.
#
# The kernel is the newest 6.12 of CHECKS=matrix; screenshots are left in $WORK/size/.

# size_page NAME ARGUMENT...: makes the page, and looks at it.
size_page() {
    local name=$1 bad=0
    shift
    { "$KBTF" size -q --html "$SIZE/$name.html" "$@" &&
        python3 -B "$HERE/size/page.py" "$BROWSER" "$SIZE/$name.html" "$SIZE/$name.png"; } >"$SIZE/$name" 2>&1 || bad=1
    verdict "size: $name" "$bad" "$(tail -n 1 "$SIZE/$name")"
}

# size_total: the sum in the page is that of the JSON.
size_total() {
    local total page bad=0
    total=$("$KBTF" size --json "$@" | jq .bytes)
    page=$(sed -n 's/.* files\{0,1\}: \([0-9]*\) bytes.*/\1/p' "$SIZE/vmlinux.html" | head -n 1)
    [ -n "$total" ] && [ "$total" = "$page" ] || bad=1
    verdict "size: the page's sum" "$bad" "$total bytes"
}

# size_broken NAME SCRIPT WORDS: a page that sed has broken is refused, with these words.
size_broken() {
    local bad=0
    sed -E "$2" "$SIZE/vmlinux.html" >"$SIZE/broken.html"
    ! cmp -s "$SIZE/vmlinux.html" "$SIZE/broken.html" || bad=1
    ! python3 -B "$HERE/size/page.py" "$BROWSER" "$SIZE/broken.html" >"$SIZE/broken" 2>&1 || bad=1
    grep -qF -- "$3" "$SIZE/broken" || bad=1
    verdict "size: noticed: $1" "$bad" "$(sed -n 2p "$SIZE/broken")"
}

run_size() {
    local image modules
    SIZE=$WORK/size
    RELEASE=$("$REPO/selftests/setup.sh" --release)
    MATRIX=$SIZE
    mkdir -p "$SIZE" "$CACHE/matrix"
    BROWSER=$(command -v chromium) || die "no chromium: selftests/setup.sh --browser"
    { matrix_kernels && matrix_module kbtf_percpu kbtf_percpu &&
        for package in "$CACHE/matrix"/6.12-1/*.deb; do dpkg -x "$package" "$SIZE/kernel" || exit; done; } >"$SIZE/made" 2>&1 ||
        { verdict "size" 1 "$(tail -n 1 "$SIZE/made")"; return; }
    image=$(echo "$SIZE"/kernel/boot/vmlinuz-*)
    modules=$(echo "$SIZE"/kernel/lib/modules/*)
    "$KBTF" encode -q --base "$CACHE/images/$RELEASE/boot/vmlinuz-$RELEASE" "$SIZE/kbtf_percpu.ko"

    size_page vmlinux "$image"
    size_total "$image"
    size_page vmlinux-and-modules --limit 60 --base "$image" "$image" "$modules"
    size_page drift --against "$CACHE/images/$RELEASE/boot/vmlinuz-$RELEASE" "$image"
    size_page units --units --base "$CACHE/images/$RELEASE/boot/vmlinuz-$RELEASE" "$SIZE/kbtf_percpu.ko"

    size_broken "a rectangle that leaves its parent" 's/(<title>STRUCT: [^<]*<\/title><rect .*width=")[0-9.]+/\11300/' "outside the map"
    size_broken "rectangles that overlap" 's/(<title>task_struct: [^<]*<\/title><rect x=")[0-9.]+/\12/' "overlaps"
    size_broken "a label that leaves its box" 's/(>[A-Z]+)<\/text>/\1 with many more words than there is room for in any box of this map, whatever it is a part of<\/text>/' "leaves its box"
    size_broken "a picture of somebody else's" 's/<h1>/<img src="http:\/\/example.com\/a.png"><h1>/' "example.com"
    size_broken "a script" 's/<h1>/<script>1<\/script><h1>/' "'scripts': 1"
    size_broken "no dark colours" 's/prefers-color-scheme: dark/prefers-color-scheme: none/' "not darker"
    size_broken "grey text" 's/--ink: #1c1c1c/--ink: #888/' "contrast"
    size_broken "something wide" 's/<h1>/<h1 style="width: 2000px">/' "wider than its window"
}
