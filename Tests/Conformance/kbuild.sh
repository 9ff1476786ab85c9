#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: unmodified kernel builds with kbtf in the place of PAHOLE and RESOLVE_BTFIDS, beside the
# same builds with the kernel's own tools, and kbtf-make: modules out of tree, against four generations of headers.

SID=$CACHE/peers/sid
# The build under test must know nothing of the make that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BTF_BASE KBTF_BASE M V O

# What 7.2 and 7.3 see of the host: everything for them lies inside sid's root, that for 7.2 under this path.
IN_SID=/kbtf/work
is_in_sid() { [[ $1 = 7.* ]]; }

# root_of SERIES: where the builds of that series lie, seen from here.
root_of() {
    case $1 in
    7.2) echo "$SID$IN_SID" ;;
    7.*) echo "$SID/kbtf-$1/work" ;;
    *) echo "$WORK/kbuild/$1" ;;
    esac
}
# seen SERIES PATH: the same, seen from the build.
seen() { if is_in_sid "$1"; then echo "${2#"$SID"}"; else echo "$2"; fi; }
headers_of() {
    if is_in_sid "$1"; then echo "$SID/usr/src/linux-headers-$(release_of "$1")"; else echo "$CACHE/kbuild/$1/build"; fi
}

# build SERIES COMMAND...: for 7.2 and 7.3 with sid's compiler, and with /proc, which objtool and make want.
build() {
    local series=$1
    shift
    if is_in_sid "$series"; then
        # shellcheck disable=SC2016  # the inner shell expands these
        unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$SID" "$@"
    else
        "$@"
    fi
}

# make_module SERIES ours|theirs MODULE ARGUMENTS...: builds it; output in FOLDER.out, messages in FOLDER.err.
make_module() {
    local series=$1 who=$2 folder pahole ids=() failed=0
    folder=$(root_of "$series")/$2/$3
    pahole=$(root_of "$series")/bin/$who/pahole
    shift 3
    # Theirs on 6.12 and 7.2 is the one that comes with the headers.
    [ ! -e "${pahole%pahole}resolve_btfids" ] || ids=(RESOLVE_BTFIDS="$(seen "$series" "${pahole%pahole}resolve_btfids")")
    # kbuild makes BTF when it links; and what was linked is as good as new to it.
    find "$folder" -name '*.ko' -delete
    build "$series" make -C "$(seen "$series" "$(readlink -f "$(headers_of "$series")")")" M="$(seen "$series" "$folder")" \
        PAHOLE="$(seen "$series" "$pahole")" "${ids[@]}" KBTF_SAMPLE_CFLAGS=-DKBTF_SAMPLE_NO_ATOMIC "$@" modules \
        >"$folder.out" 2>"$folder.err" || failed=1
    without_version_note "$folder.err"
    [ "$failed" = 0 ]
}

# without_version_note FILE: a kernel of the backports was built with the pahole of its suite, and its makefiles say so
# of any other.
without_version_note() { sed -i '/^warning: pahole version differs/,+2d' "$1"; }

# tools SERIES: one word each for PAHOLE and RESOLVE_BTFIDS.
tools() {
    local series=$1 bin
    bin=$(root_of "$series")/bin
    mkdir -p "$bin"/{ours,theirs}
    # Copied, for a link does not lead out of sid's root.
    cp "$KBTF" "$bin/ours/kbtf"
    ln -s kbtf "$bin/ours/pahole"
    ln -s kbtf "$bin/ours/resolve_btfids"
    case $series in
    6.1)
        ln -s "$CACHE/peers/bin/pahole-1.24" "$bin/theirs/pahole"
        # Its headers come without one.
        ln -s "$CACHE/peers/bin/resolve_btfids-6.1" "$bin/theirs/resolve_btfids"
        ;;
    6.12) ln -s "$CACHE/peers/bin/pahole-1.24" "$bin/theirs/pahole" ;;
    7.*)
        # shellcheck disable=SC2016
        printf '#!/bin/sh\nLD_LIBRARY_PATH=/kbtf/libbpf exec /usr/bin/pahole "$@"\n' >"$bin/theirs/pahole"
        chmod +x "$bin/theirs/pahole"
        ;;
    esac
}

# expected SERIES MODULE: what `kbtf diff` says of theirs and ours although ours is right.
expected() {
    case $1/$2 in
    7.*/kbtf_sample)
        # pahole takes addresses of a relocatable file for places in sections, and finds no per-CPU
        # variables where the linker script of 7.2 puts them.
        echo "VAR u64 kbtf_sample_ticks: only in B"
        echo "VAR struct anonymous_hub sample_hub: only in B"
        echo "VAR struct kbtf_sample_stats sample_stats: only in B"
        echo "DATASEC section .data..percpu: only in B"
        ;;
    esac
}

# same_btf SERIES MODULE THEIRS OURS BASE|none
same_btf() {
    "$KBTF" diff --base "$5" "$3" "$4" >"$4.diff" 2>&1 && return 0
    cmp -s <(grep -E '(only in|in A,|in B)' "$4.diff" | grep -v ' in both$' | sort) <(expected "$1" "$2" | sort) &&
        [ -n "$(expected "$1" "$2")" ]
}

# same_base THEIRS OURS: the same types under the same ids. Bytes differ in the header, of which libbpf 1.8 writes
# 32 bytes even where there is no layout to tell of, and in names that are the end of others.
same_base() {
    local file
    for file in "$1" "$2"; do
        content "$file" .BTF.base >"$2.base" && [ -s "$2.base" ] && "$BPFTOOL" btf dump file "$2.base" || return 1
    done >"$2.bases" 2>&1
    local half=$(($(wc -l <"$2.bases") / 2))
    cmp -s <(head -n "$half" "$2.bases") <(tail -n "$half" "$2.bases")
}

# same_ids THEIRS OURS BASE|none: "bytes" or "names"; fails when they differ. Leaves in OURS.ids what is named.
same_ids() {
    "$COMPARE" ids --base "$3" "$1" >"$2.their-ids" && "$COMPARE" ids --base "$3" "$2" >"$2.ids" &&
        cmp -s "$2.their-ids" "$2.ids" || return 1
    if cmp -s <(content "$1" .BTF_ids) <(content "$2" .BTF_ids); then echo bytes; else echo names; fi
}

# compared SERIES FOLDER BASE|none: each module of FOLDER, theirs and ours; a line for each.
compared() {
    local series=$1 root theirs ours name word bad=0 count=0
    root=$(root_of "$series")
    for theirs in "$root/theirs/$2"/*.ko; do
        [ -e "$theirs" ] || continue
        ours=$root/ours/$2/${theirs##*/}
        name=$(basename "$theirs" .ko)
        count=$((count + 1))
        word=BTF
        section "$ours" .BTF >/dev/null && same_btf "$series" "$name" "$theirs" "$ours" "$3" || { word="BTF differs"; bad=1; }
        [ -z "$(expected "$series" "$name")" ] || word+=" but for pahole's known fault"
        if section "$theirs" .BTF_ids >/dev/null || section "$ours" .BTF_ids >/dev/null; then
            word+=", ids $(same_ids "$theirs" "$ours" "$3" || echo differ)"
        fi
        if section "$theirs" .BTF.base >/dev/null || section "$ours" .BTF.base >/dev/null; then
            same_base "$theirs" "$ours" && word+=", base ids" || { word+=", base differs"; bad=1; }
        fi
        case $word in *"ids differ"*) bad=1 ;; esac
        printf '%s: %s\n' "$name" "$word"
    done
    [ "$count" -gt 0 ] && [ "$bad" = 0 ]
}

# modules_built SERIES FOLDER: with their tools and with ours.
modules_built() {
    local series=$1 folder=$2 bad=0 root out base=none
    root=$(root_of "$series")
    out=$root/$folder
    make_module "$series" theirs "$folder" || { verdict "kbuild $series $folder" 1 "theirs: $(tail -n 1 "$root/theirs/$folder.err")"; return; }
    make_module "$series" ours "$folder" || bad=1
    [ ! -s "$root/ours/$folder.err" ] || bad=1
    # 7.2's have a base of their own.
    is_in_sid "$series" || base=$(headers_of "$series")/vmlinux
    [ "$bad" = 1 ] || compared "$series" "$folder" "$base" >"$out.compared" 2>&1 || bad=1
    verdict "kbuild $series $folder" "$bad" "$(summed "$root/ours/$folder.err" "$out.compared")"
}

# summed ERRORS COMPARED: the first message, else the comparisons in one line.
summed() { if [ -s "$1" ]; then head -n 1 "$1"; else paste -sd'|' "$2" | sed 's/|/; /g'; fi; }

# their_standalone SERIES KO OUT: what their tools make without a base of a module that had no BTF step.
their_standalone() {
    local series=$1 ko
    ko=$(seen "$series" "$2")
    case $series in
    6.*)
        # pahole 1.24 has only flat arrays; without a base kbtf cannot know that.
        "$CACHE/peers/bin/pahole-1.32" -J --btf_features="$LEGACY" --lang_exclude=rust --btf_encode_detached="$3" "$ko"
        ;;
    7.*)
        # Since 7.3 it is not pahole that describes kernel functions.
        local more=,decl_tag_kfuncs,attributes
        [ "$series" = 7.2 ] || more=
        build "$series" "$(seen "$series" "$(root_of "$series")")/bin/theirs/pahole" -J --lang_exclude=rust \
            --btf_features="$DEFAULT$more" --btf_encode_detached="$ko.BTF.1" "$ko"
        build "$series" "/usr/src/linux-headers-$(release_of "$series")/tools/bpf/resolve_btfids/resolve_btfids" \
            --btf "$ko.BTF.1" "$ko" && mv "$2.BTF" "$3"
        ;;
    esac
}

# standalone_built SERIES FOLDER: make BTF_BASE=, against their tools without a base.
standalone_built() {
    local series=$1 folder=$2 root bad=0 ko name word=''
    root=$(root_of "$series")
    make_module "$series" theirs "$folder" CONFIG_DEBUG_INFO_BTF_MODULES= || bad=1
    make_module "$series" ours "$folder" BTF_BASE= && [ ! -s "$root/ours/$folder.err" ] || bad=1
    for ko in "$root/ours/$folder"/*.ko; do
        [ -e "$ko" ] || continue
        name=$(basename "$ko" .ko)
        "$KBTF" info --json "$ko" >"$ko.info" 2>&1 && grep -Eq '"kind" *: *"standalone"' "$ko.info" || bad=1
        [[ "$(modinfo -F btf "$ko")" = "standalone kbtf="* ]] || bad=1
        "$KBTF" check "$ko" >"$ko.check" 2>&1 || bad=1
        [ -z "$(content "$ko" .BTF.base)" ] || bad=1
        their_standalone "$series" "$root/theirs/$folder/$name.ko" "$ko.theirs" 2>"$ko.messages" &&
            same_btf "$series" "$name" "$ko.theirs" "$ko" none || bad=1
        if section "$ko" .BTF_ids >/dev/null; then
            "$COMPARE" ids --base none "$ko" >"$ko.standalone-ids" && cmp -s "$ko.ids" "$ko.standalone-ids" || bad=1
        fi
        word+=${word:+, }$name
    done
    verdict "kbuild $series $folder BTF_BASE=" "$bad" "$(summed "$root/ours/$folder.err" <(echo "standalone: $word"))"
}

# made_standalone SERIES FOLDER: kbtf-make BTF_BASE=, after standalone_built, against the same.
made_standalone() {
    local series=$1 folder=$2 root bad=0 ko name word='' made
    root=$(root_of "$series")
    made=$root/made/$folder
    mkdir -p "$root/made"
    rm -rf "$made"
    cp -r "$root/ours/$folder" "$made"
    [ ! -d "$root/ours/testmod" ] || cp "$root/ours"/*.h "$root/made/" 2>/dev/null || true
    find "$made" -name '*.ko*' -delete
    cp "$REPO/kbuild/kbtf-make" "$root/bin/ours/"
    KBTF=$(seen "$series" "$root/bin/ours/kbtf") build "$series" "$(seen "$series" "$root/bin/ours/kbtf-make")" \
        -C "$(seen "$series" "$(readlink -f "$(headers_of "$series")")")" M="$(seen "$series" "$made")" \
        KBTF_SAMPLE_CFLAGS=-DKBTF_SAMPLE_NO_ATOMIC BTF_BASE= modules >"$made.out" 2>"$made.err" || bad=1
    without_version_note "$made.err"
    for ko in "$made"/*.ko; do
        [ -e "$ko" ] || { bad=1; continue; }
        name=$(basename "$ko" .ko)
        same_btf "$series" "$name" "$root/ours/$folder/$name.ko.theirs" "$ko" none || bad=1
        if section "$ko" .BTF_ids >/dev/null; then
            "$COMPARE" ids --base none "$ko" >"$ko.standalone-ids" && cmp -s "$root/ours/$folder/$name.ko.ids" "$ko.standalone-ids" || bad=1
        fi
        word+=${word:+, }$name
    done
    verdict "kbtf-make $series $folder" "$bad" "$(summed "$made.err" <(echo "standalone: $word"))"
}

# own_sections KO: what a base decides.
own_sections() { { content "$1" .BTF; content "$1" .BTF_ids; } | sha256sum; }

# other_base SERIES: each way to name the base that is used anyway gives the same bytes. The module says what it is split
# from, since the base was chosen.
other_base() {
    local series=$1 root bad=0 base expected way ko
    root=$(root_of "$series")
    ko=$root/ours/kbtf_sample/kbtf_sample.ko
    base=$(seen "$series" "$(headers_of "$series")/vmlinux")
    make_module "$series" ours kbtf_sample || bad=1
    expected=$(own_sections "$ko")
    [ -z "$(modinfo -F btf "$ko")" ] || bad=1
    for way in "BTF_BASE=$base" "BTF_BASE=--btf_base $base" "KBTF_BASE=$base"; do
        make_module "$series" ours kbtf_sample "$way" && [ ! -s "$root/ours/kbtf_sample.err" ] &&
            [ "$(own_sections "$ko")" = "$expected" ] && [ "$(modinfo -F btf "$ko" | grep -Ec '^(split|distilled) .*digest=')" = 1 ] || bad=1
    done
    # A base that is none fails the build, and leaves no module behind.
    echo none >"$root/none"
    ! make_module "$series" ours kbtf_sample BTF_BASE="$(seen "$series" "$root/none")" || bad=1
    grep -q "Failed to parse base BTF" "$root/ours/kbtf_sample.err" || bad=1
    [ ! -e "$ko" ] || bad=1
    verdict "kbuild $series base" "$bad" "three ways to name a base, and a bad one"
}

run_kbuild() {
    local series root folder folders
    bash "$HERE/kbuild-inputs.sh" >/dev/null || die "kbuild-inputs.sh failed"
    # It makes the resolve_btfids that 6.1's headers lack.
    bash "$HERE/ids-inputs.sh" >/dev/null || die "ids-inputs.sh failed"
    for series in "${GENERATIONS[@]}"; do
        root=$(root_of "$series")
        rm -rf "$root"
        tools "$series"
        for who in ours theirs; do
            mkdir -p "$root/$who"
            cp -r "$REPO/selftests/modules/kbtf_sample" "$root/$who/"
            if is_in_sid "$series"; then
                cp -r "${root%/work}/testmod/test_kmods" "$root/$who/testmod"
                cp "${root%/work}/testmod"/*.h "$root/$who/"
            else
                cp -r "$CACHE/kbuild/$series/testmod" "$root/$who/"
            fi
        done
        folders=(kbtf_sample testmod)
        if [ "$series" = 7.3 ]; then
            for who in ours theirs; do cp -r "$HERE/kfuncs" "$root/$who/"; done
            folders+=(kfuncs)
        fi
        for folder in "${folders[@]}"; do
            modules_built "$series" "$folder"
            standalone_built "$series" "$folder"
            # What encode says of kernel functions, pahole of 6.1 and 6.12 does not.
            ! is_in_sid "$series" || made_standalone "$series" "$folder"
        done
        other_base "$series"
    done
}
