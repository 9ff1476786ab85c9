#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: C dumps of kernels of all machines, compiled by each compiler of that machine, and by clang for BPF. The
# layouts that come out have to be those of the BTF. And with --like-bpftool the text is bpftool's.

C_DUMPS=$WORK/c-dumps

# c_compilers MACHINE: one a line. BPF has pointers of 8 bytes, in the order of bytes that is asked for.
c_compilers() {
    local gcc clang order=bpfel
    gcc=$(command -v "$(triplet_of "$1")-gcc") && echo "$gcc"
    clang=$(find /usr/bin -name 'clang-[0-9]*' | sort -V | tail -n 1)
    echo "$clang --target=$(triplet_of "$1")"
    case $1 in
    armhf | i386 | mipsel) return 0 ;;
    s390x) order=bpfeb ;;
    esac
    echo "$clang --target=$order"
}

# c_dump NAME MACHINE BTF
c_dump() {
    local dir=$C_DUMPS/$1 compiler number=0 bad=0 differ='' theirs=''
    mkdir -p "$dir"
    "$KBTF" dump --format json "$3" >"$dir/dumped.json" &&
        "$KBTF" dump --format c "$3" >"$dir/ours.h" &&
        "$KBTF" dump --format c --like-bpftool "$3" >"$dir/theirs.h" || bad=1
    "$BPFTOOL" btf dump file "$3" format c | cmp - "$dir/theirs.h" >"$dir/bytes" 2>&1 || { bad=1; theirs=', not the bytes of bpftool'; }
    while read -r compiler; do
        number=$((number + 1))
        c_compiled "$dir" ours "$compiler" "$number" || { bad=1; differ+=" by $compiler: $(tail -n 1 "$dir/ours.$number")"; }
        c_compiled "$dir" theirs "$compiler" "$number" || theirs+=", bpftool's by ${compiler##*/}: $(tail -n 1 "$dir/theirs.$number")"
    done < <(c_compilers "$2")
    verdict "C dump of $1" "$bad" "$number compilers: ${differ:-$(tail -n 1 "$dir/ours.1")}$theirs"
}

# c_compiled DIR HEADER COMPILER NUMBER
c_compiled() {
    local out=$1/$2.$4
    echo "#include \"$2.h\"" >"$1/$2.c"
    # shellcheck disable=SC2086  # words
    $3 -w -std=gnu11 -DBPF_NO_PRESERVE_ACCESS_INDEX -g -gdwarf-4 -fno-eliminate-unused-debug-types -c -o "$out.o" "$1/$2.c" >"$out" 2>&1 &&
        c_read "$3" "$out" >"$out" 2>&1 &&
        "$BPFTOOL" -j btf dump file "$out.btf" >"$out.json" &&
        python3 -B "$HERE/c-dumps.py" "$1/dumped.json" "$out.json" >"$out" && ! grep -q '^0 types' "$out" || return 1
    rm -f "$out.o" "$out.btf" "$out.json"
}

# c_read COMPILER FILE: the BTF of FILE.o, with every type; what clang writes for BPF has only those in use.
c_read() {
    case $1 in
    *=bpfe?) "$CACHE/peers/bin/pahole-1.32" -J --btf_encode_detached="$2.btf" --btf_features=encode_force,float,enum64 "$2.o" ;;
    # pahole does not read relocatable files of mips64el.
    *) "$KBTF" encode -q --detached "$2.btf" "$2.o" ;;
    esac
}

# c_split SERIES: modules as they ship. All of the base's types come first.
c_split() {
    local base=$CACHE/kernels/$1/vmlinux.btf module number=0 bad=0 differ=''
    while read -r module; do
        number=$((number + 1))
        "$KBTF" dump --format c --like-bpftool --base "$base" "$module" 2>&1 |
            cmp -s - <("$BPFTOOL" -B "$base" btf dump file "$module" format c) || { bad=1; differ+=" ${module##*/}"; }
    done < <(find "$CACHE/kernels/$1/image-ko" -name '*.ko' | sort | awk 'NR % 100 == 1')
    [ "$number" != 0 ] || bad=1
    verdict "C dump of modules of $1" "$bad" "$number modules${differ:+, not the bytes of bpftool:$differ}"
}

run_c_dumps() {
    local series name dir btf
    c_split 6.12
    for series in 6.1 6.12 7.2 7.3; do
        mkdir -p "$C_DUMPS/$series"
        btf_of "$(vmlinux_of "$series")" "$C_DUMPS/$series/btf"
        c_dump "$series" amd64 "$C_DUMPS/$series/btf"
    done
    bash "$HERE/archs-inputs.sh" || { verdict "C dumps of other machines" 1 "archs-inputs.sh failed"; return; }
    for dir in "$CACHE"/kernels/arch-*; do
        name=${dir##*/arch-}
        btf=$C_DUMPS/$name/btf
        mkdir -p "${btf%/*}"
        "$KBTF" encode -q --detached "$btf" "$(find "$dir/dbg" -name 'vmlinux*' -type f)" && c_dump "$name" "$name" "$btf" ||
            verdict "C dump of $name" 1 "not encoded"
    done
}
