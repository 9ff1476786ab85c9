#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: ordinary skeletons and subskeletons beside those of bpftool 7.8, for the objects of skeletons.sh.
#
#   skeletons    both structs have the same members of the same types at the same offsets; C and C++ compile ours; in
#                guests of 6.1 and 6.12 both load the same objects

# ordinary_layout HEADER TYPES NAME: the struct of a skeleton, and those of its data sections.
ordinary_layout() {
    printf '#include "%s"\n#include "%s"\nstruct %s *skeleton;\n' "$2" "$1" "$3" >"$1.c" &&
        gcc -g -w -nostdinc -I"$SKELETON_SOURCES/abi" -c "$1.c" -o "$1.o" && "$KBTF" encode -q --standalone "$1.o" &&
        "$KBTF" dump --layout "$1.o" "struct $3" | sed 's/\bconst //g'
}
export -f ordinary_layout

# ordinary_pair NAME: one word about it.
ordinary_pair() {
    local name=$1 object=$SKELETONS/objects/$1.o out=$SKELETONS/ordinary/$1 kind side status
    declare -A status
    {
        "$KBTF" dump --unsorted --format c "$object" >"$out.types.h"
        for kind in skeleton subskeleton; do
            for side in ours theirs; do
                status[$side]=0
                case $side in
                ours) "$SKELETON_KBTF" gen "$kind" -q "$object" name "$name" ;;
                theirs) "$SKELETON_BPFTOOL" gen "$kind" "$object" name "$name" ;;
                esac >"$out.$kind.$side.h" || status[$side]=1
            done
            if [ "${status[ours]}${status[theirs]}" != 00 ]; then
                echo "refused $name: $kind: exit status ${status[ours]}, bpftool ${status[theirs]}" >&3
                [ "${status[ours]}" = "${status[theirs]}" ] || return 0
                continue
            fi
            for side in ours theirs; do
                ordinary_layout "$out.$kind.$side.h" "$out.types.h" "$name" >"$out.$kind.$side" ||
                    { echo "uncompiled $name: $kind, $side" >&3; return 0; }
            done
            cmp "$out.$kind.ours" "$out.$kind.theirs" || { echo "different $name: $kind" >&3; return 0; }
            "$SKELETON_KBTF" gen "$kind" -q --own-types "$object" name "$name" >"$out.$kind.own.h" &&
                gcc -fsyntax-only -Wall -Wextra -Werror -x c "$out.$kind.own.h" &&
                g++ -fsyntax-only -Wall -Wextra -Werror -x c++ "$out.$kind.own.h" ||
                { echo "uncompiled $name: $kind" >&3; return 0; }
        done
        for side in ours theirs; do
            [ -s "$out.skeleton.$side.h" ] || return 0
            gcc -O1 -w -nostdinc -I"$SKELETON_SOURCES/abi" -DNAME="$name" -DRUN="${name}_$side" -DTYPES="\"$out.types.h\"" -DHEADER="\"$out.skeleton.$side.h\"" \
                -c "$SKELETON_SOURCES/ordinary.c" -o "$out.$side.o" || { echo "uncompiled $name: $side" >&3; return 0; }
        done
        echo "pair $name" >&3
    } 3>&1 >"$out.messages" 2>&1
}
export -f ordinary_pair

# ordinary_skeletons LIBBPF
ordinary_skeletons() {
    local bad=0 dir=$SKELETONS/ordinary
    mkdir -p "$dir"
    find "$SKELETONS/objects" -name '*.o' -printf '%f\n' | sed 's/\.o$//' | sort |
        xargs -P "$JOBS" -I{} bash -euo pipefail -c 'ordinary_pair {}' | sort >"$dir.words" || bad=1
    grep -q '^pair ' "$dir.words" && ! grep -qE '^(different|uncompiled) ' "$dir.words" || bad=1
    verdict "skeletons $1, ordinary" "$bad" \
        "$(grep -c '^pair' "$dir.words") objects: members as bpftool's; $(grep -vE '^pair ' "$dir.words" | head -n 4 | tr '\n' ';')"
}

# ordinary_guest SERIES: both load the same.
ordinary_guest() {
    local series=$1 bad=0 dir=$SKELETONS/ordinary
    sed -n 's/^pair \(.*\)/X(\1)/p' "$dir.words" >"$dir/objects.def"
    {
        gcc -O1 -Wall -Wextra -Werror -I"$dir" "$SKELETON_SOURCES/ordinary-main.c" "$dir"/*.{ours,theirs}.o -static \
            -lbpf -lelf -lz -o "$dir/ordinary" &&
            "$KBTF" vm run --kernel "$(kernel_of "$series")" --memory 2048 --append lsm=bpf --timeout 900 --test-timeout 600 \
                --test "$dir/ordinary" --log "$dir-$series.log" >"$dir-$series.ktap"
    } 2>"$dir-$series.err" || bad=1
    verdict "$series skeletons, ordinary" "$bad" "$(tr -d '\r' <"$dir-$series.log" | sed -n 's/.*# ordinary: //p')"
}
