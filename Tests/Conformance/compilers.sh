#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: the inputs in compilers/, by every compiler that is installed: GCC for each machine, clang for each
# version and machine, sid's GCC. What each check holds the BTF against is said in the inputs.

COMPILERS=$(dirname "${BASH_SOURCE[0]}")/compilers

# The compilers, one a line, each with its options.
all_compilers() {
    local gcc clang target
    for gcc in /usr/bin/*-linux-gnu*-gcc; do
        case $gcc in
        */i[3-6]86-*) echo "$gcc -mregparm=3 -freg-struct-return" ;;
        */mips* | */arm*) echo "$gcc" ;;
        *) [ ! -x "$gcc" ] || echo "$gcc -DFLOATS" ;;
        esac
    done
    [ ! -x "$CACHE/peers/sid/usr/bin/gcc" ] || echo "in_sid gcc -DFLOATS"
    for clang in /usr/bin/clang-[0-9]*; do
        [ -x "$clang" ] || continue
        for target in x86_64 aarch64 s390x powerpc64le riscv64 loongarch64; do
            echo "$clang --target=$target-linux-gnu -DFLOATS"
        done
        echo "$clang --target=mipsel-linux-gnu"
        echo "$clang --target=arm-linux-gnueabihf"
    done
}

in_sid() {
    local file root=$CACHE/peers/sid
    rm -rf "$root/tmp/compilers"
    cp -r "$COMPILERS" "$root/tmp/compilers"
    file=${!#}
    set -- "${@:1:$#-1}"
    chroot "$root" "$@" -o /tmp/compilers/out.o "/tmp/compilers/${file##*/}" && cp "$root/tmp/compilers/out.o" out.o
}

# compiled NAME OPTIONS...: out.o, by $compiler; false if it does not know the machine or the language.
compiled() {
    local file=$COMPILERS/$1.c
    shift
    # shellcheck disable=SC2086  # words
    case $compiler in
    in_sid*) $compiler -w -g -O2 -c "$@" "$file" ;;
    *) $compiler -w -g -O2 -c "$@" -o out.o "$file" ;;
    esac >log 2>&1
}

# Functions of the BTF whose names begin with $1, in order.
functions_of() { "$KBTF" dump out.btf | sed -n "s/^\[[0-9]*\] FUNC '\($1[^']*\)'.*/\1/p" | sort; }

encoded_and_taken() {
    local target
    "$KBTF" encode -q --ledger out.ledger --detached out.btf out.o || return 1
    "$KBTF" check out.btf >checked || return 1
    # The kernels' rules are those of 64-bit machines.
    ! readelf -h out.o | grep -q 'Class: *ELF32' || return 0
    for target in 6.1 6.12 7.2; do
        "$KBTF" check --target "$target" out.btf >checked || return 1
        grep -q 'BPF_BTF_LOAD: taken' checked || return 1
    done
}

# The functions of prototypes.c that are left out are those that `places` lists for the machine.
prototypes_as_expected() {
    local machine known
    machine=$(readelf -h out.o | sed -n 's/^ *Machine: *//p')
    grep -o '"name":"f[0-9]*","unit":"[^"]*","reason":"[^"]*"' out.ledger | sed 's/"name":"f0*//; s/".*//' |
        sort -n >left-out
    while read -r known places; do
        case ${machine,,} in *"$known"*) echo "$places" | tr ' ' '\n' ;; esac
    done <"$COMPILERS/places" | sort -n >expected
    diff expected left-out >differences
}

types_as_expected() {
    "$KBTF" dump out.btf >dumped
    grep -A2 "ENUM 'early' encoding=SIGNED" dumped | grep -q "'EARLY_FAILED' val=-7" &&
        grep -A1 "ENUM64 'wide_early' encoding=SIGNED" dumped | grep -q 'val=-2' &&
        ! grep -q "'[a-z]*\\$" dumped && grep -q "FUNC 'balance'" dumped && ! grep -q "FUNC 'interest'" dumped
}

run_compilers() {
    local dir=$WORK/compilers compiler standard count=0 files=0 bad=0
    rm -rf "$dir"
    mkdir -p "$dir"
    cd "$dir" || return
    while read -r compiler; do
        files=0
        if compiled prototypes; then
            encoded_and_taken && prototypes_as_expected || { bad=1; echo "prototypes: $compiler" >>failed; }
            files=$((files + 1))
        fi
        for standard in gnu11 gnu2x; do
            compiled types -std=$standard || continue
            encoded_and_taken && types_as_expected || { bad=1; echo "types, $standard: $compiler" >>failed; }
            files=$((files + 1))
        done
        if compiled changed; then
            encoded_and_taken || bad=1
            functions_of gone_ >gone
            functions_of stay_ >stay
            # GCC renames what it changes, and keeps results. Clang 14 does not say what it changed.
            case $compiler in
            *clang-1[45]*) ;;
            *clang*) [ ! -s gone ] || { bad=1; echo "changed: $compiler" >>failed; } ;;
            esac
            # Clang's locations for MIPS begin after the function has moved its arguments.
            [[ $compiler == *clang*mipsel* ]] || [ "$(wc -l <stay)" = 3 ] || { bad=1; echo "unchanged: $compiler" >>failed; }
        fi
        [ "$files" = 0 ] || count=$((count + 1))
    done < <(all_compilers)
    [ "$count" -gt 0 ] || bad=1
    cd - >/dev/null || return
    verdict compilers "$bad" "$count compilers$([ ! -s "$dir/failed" ] || echo "; $(wc -l <"$dir/failed") failures, in $dir/failed")"
}
