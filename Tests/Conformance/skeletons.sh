#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: light skeletons beside those of bpftool 7.1 and 7.8, for the objects of selftests/progs and for BPF
# programs of the kernel's own selftests (skeletons/list); kbtf uses libbpf 1.1, or 1.8 as bpftool 7.8 does.
#
#   skeletons    the loaders' bytes; in guests of 6.1 and 6.12, what the kernel has when both have loaded: programs,
#                maps and their contents, links; and that programs attach to targets which the user names

SKELETON_SOURCES=$HERE/skeletons

# skeletons_of LIBBPF: whose programs are to be compared, and where.
skeletons_of() {
    SKELETONS=$WORK/skeletons-$1
    mkdir -p "$SKELETONS"
    case $1 in
    1.1)
        SKELETON_KBTF=$KBTF
        SKELETON_BPFTOOL=$(command -v bpftool || echo /usr/sbin/bpftool)
        ;;
    *)
        SKELETON_KBTF=$SKELETONS/kbtf
        SKELETON_BPFTOOL=$BPFTOOL
        with_library "$1" "$DYNAMIC_KBTF" "$SKELETON_KBTF"
        ;;
    esac
    export SKELETONS SKELETON_KBTF SKELETON_BPFTOOL
}

# skeleton_objects: compiles them all to $SKELETONS/objects.
skeleton_objects() {
    local sources=$CACHE/sources/bpf-6.12 types=$CACHE/kernels/6.12/vmlinux.btf name
    mkdir -p "$SKELETONS/objects"
    (
        cd "$REPO/selftests"
        find progs -name '*.bpf.c' | sort | sed "s|^|$SKELETONS/build/|; s|\.c\$|.o|" |
            xargs make -s -j "$JOBS" O="$SKELETONS/build" VMLINUX="$types" KBTF="$KBTF"
    )
    find "$SKELETONS/build/progs" -name '*.bpf.o' | while read -r name; do
        cp "$name" "$SKELETONS/objects/kbtf_$(basename "$name" .bpf.o).o"
    done
    grep -v '^#' "$SKELETON_SOURCES/list" | xargs -P "$JOBS" -I{} \
        clang-16 -g -O2 -mcpu=v3 -target bpf -D__TARGET_ARCH_x86 -fms-extensions -w -I"$SKELETONS/build" \
        -I"$sources/tests" -I"$sources/include" -I"$sources/uapi" -I/usr/include/x86_64-linux-gnu \
        -c "$sources/progs/{}.c" -o "$SKELETONS/objects/linux_{}.o"
}

# skeleton_pair NAME: both skeletons of an object, compiled. One word more about it in $SKELETONS/words.
skeleton_pair() {
    local name=$1 object=$SKELETONS/objects/$1.o out=$SKELETONS/pairs/$1 ours=0 theirs=0
    local compile=(gcc -O1 -DNAME="$name" -I"$SKELETON_SOURCES")
    "$SKELETON_KBTF" gen skeleton -q -L --own-types --kernel-btf "$CACHE/kernels/6.12/vmlinux.btf" "$object" name "$name" \
        >"$out.ours.h" 2>"$out.messages" || ours=$?
    "$SKELETON_BPFTOOL" gen skeleton -L "$object" name "$name" >"$out.theirs.h" 2>>"$out.messages" || theirs=$?
    if [ "$ours" != 0 ] && [ "$theirs" != 0 ]; then
        echo "refused $name: $(head -n 1 "$out.messages")"
        return
    elif [ "$ours" = 1 ] && grep -q 'a loader of libbpf 1.1 ' "$out.messages"; then
        # bpftool lets it through, and the loader does it wrong.
        echo "spoiled $name: $(head -n 1 "$out.messages")"
        return
    elif [ "$ours" != 0 ] || [ "$theirs" != 0 ]; then
        echo "alone $name: exit status $ours, bpftool $theirs: $(head -n 1 "$out.messages")"
        return
    fi
    {
        "$KBTF" dump --unsorted --format c "$object" >"$out.types.h" &&
            "${compile[@]}" -Wall -Wextra -Wpedantic -Wno-overlength-strings -Werror -DHEADER="\"$out.ours.h\"" \
                -DRUN="${name}_ours" -c "$SKELETON_SOURCES/pair.c" -o "$out.ours.o" &&
            "${compile[@]}" -w -DTHEIRS -DTYPES="\"$out.types.h\"" -DHEADER="\"$out.theirs.h\"" \
                -DRUN="${name}_theirs" -I"$SKELETON_SOURCES/peer" -c "$SKELETON_SOURCES/pair.c" -o "$out.theirs.o" &&
            g++ -fsyntax-only -Wall -Wextra -Werror -x c++ "$out.ours.h" -include string.h -include errno.h
    } >>"$out.messages" 2>&1 || { echo "uncompiled $name: $(grep -m 1 error "$out.messages")"; return; }
    echo "pair $name"
}
export -f skeleton_pair

# Neither root nor bpf(), whatever the directory, the locale and the time.
skeleton_alone() {
    local dir bad=0
    dir=$(mktemp -d)
    chmod 755 "$dir"
    cp "$KBTF" "$dir/kbtf"
    cp "$SKELETONS/objects/kbtf_policy.o" "$dir/other.o"
    (
        cd "$dir"
        TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all \
            strace -f -e trace=bpf,perf_event_open,openat -o "|cat >&3" ./kbtf gen skeleton -q -L --own-types other.o name kbtf_policy
    ) >"$SKELETONS/alone.h" 2>"$SKELETONS/alone.messages" 3>"$SKELETONS/alone.calls" || bad=1
    cmp -s "$SKELETONS/alone.h" "$SKELETONS/pairs/kbtf_policy.ours.h" || bad=1
    ! grep -qE '\b(bpf|perf_event_open)\(|"/(proc/config|boot|proc/kallsyms|sys/kernel|sys/fs)' "$SKELETONS/alone.calls" || bad=1
    grep -q 'openat(.*other.o' "$SKELETONS/alone.calls" || bad=1
    rm -rf "$dir"
    verdict "skeletons alone" "$bad" "as nobody: the same bytes, no bpf(), nothing read of this machine's kernel"
}

# skeleton_loaders LIBBPF
skeleton_loaders() {
    local bad=0 words=$SKELETONS/words name
    mkdir -p "$SKELETONS/pairs" "$SKELETONS/loaders"
    export SKELETON_SOURCES
    find "$SKELETONS/objects" -name '*.o' -printf '%f\n' | sed 's/\.o$//' | sort |
        xargs -P "$JOBS" -I{} bash -euo pipefail -c 'skeleton_pair {}' | sort >"$words" || bad=1
    ! grep -qvE '^(pair|refused|spoiled) ' "$words" || bad=1
    sed -n 's/^pair \(.*\)/X(\1)/p' "$words" >"$SKELETONS/pairs/objects.def"
    {
        gcc -O1 -Wall -Wextra -Werror -I"$SKELETON_SOURCES" -I"$SKELETONS/pairs" "$SKELETON_SOURCES"/{compare,peer}.c \
            "$SKELETONS"/pairs/*.{ours,theirs}.o -static -lbpf -lelf -lz -o "$SKELETONS/compare" &&
            gcc -O1 -Wall -Wextra -Werror "$SKELETON_SOURCES/loaders.c" -o "$SKELETONS/loaders-compare" &&
            "$SKELETONS/compare" record "$SKELETONS/loaders"
    } >"$SKELETONS/messages" 2>&1 || bad=1
    # shellcheck disable=SC2046  # names are identifiers
    "$SKELETONS/loaders-compare" "$SKELETONS/loaders" $(sed -n 's/^pair //p' "$words") >"$SKELETONS/loaders.compared" 2>&1 || bad=1
    verdict "skeletons $1, loaders" "$bad" \
        "$(tail -n 1 "$SKELETONS/loaders.compared"); refused by both: $(sed -n 's/^refused \([^:]*\):.*/\1/p' "$words" | tr '\n' ' '), for faults of libbpf: $(sed -n 's/^spoiled \([^:]*\):.*/\1/p' "$words" | tr '\n' ' ')$(grep -vE '^(pair|refused|spoiled) ' "$words" | head -n 3 | tr '\n' ' ')"
}

# skeleton_module SERIES: kbtf_test.ko for it, which some objects attach to.
skeleton_module() {
    local dir=$SKELETONS/module-$1
    cp -r "$REPO/selftests/modules/kbtf_test" "$dir"
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$CACHE/kbuild/$1/build" M="$dir" CONFIG_DEBUG_INFO_BTF_MODULES= modules &&
        "$KBTF" encode -q --base "$CACHE/kernels/$1/vmlinux.btf" "$dir/kbtf_test.ko"
}

# guest_skeletons LIBBPF SERIES: both load the same, and programs attach to targets.
guest_skeletons() {
    local series=$2 bad=0 test=$SKELETONS/guest/compare name said
    mkdir -p "$test"
    strip -o "$test/compare" "$SKELETONS/compare"
    sed -n 's/^pair //p' "$SKELETONS/words" | while read -r name; do
        cp "$SKELETONS/objects/$name.o" "$test/$name.bpf.o"
    done
    chmod a-x "$test"/*.o
    skeleton_module "$series" >"$SKELETONS/module-$series.messages" 2>&1 || bad=1
    "$KBTF" vm run --kernel "$(kernel_of "$series")" --cpus 2 --memory 2048 --append lsm=bpf --timeout 900 --test-timeout 600 \
        --module "$SKELETONS/module-$series/kbtf_test.ko" --test "$test" --test "$SKELETONS/targets" --log "$SKELETONS/$series.log" >"$SKELETONS/$series.ktap" 2>"$SKELETONS/$series.err" || bad=1
    # What passes says its words in the console's log only.
    tr -d '\r' <"$SKELETONS/$series.log" | sed -n 's/.*kbtf[:+] *//p' >"$SKELETONS/$series.said"
    said=$(sed -n 's/^# objects /objects /p' "$SKELETONS/$series.said")
    [ -n "$said" ] || bad=1
    verdict "$series skeletons $1" "$bad" \
        "$said; not loaded: $(sed -n 's/^ok [0-9]* \([a-z0-9_]*\) # SKIP neither loads: \(.*\)/\1 (\2),/p' "$SKELETONS/$series.said" | tr '\n' ' ')"
}

# A program whose targets the user names.
skeleton_targets() {
    {
        clang-16 -g -O2 -target bpf -D__TARGET_ARCH_x86 -fms-extensions -Wno-microsoft-anon-tag -I"$SKELETONS/build" \
            -c "$SKELETON_SOURCES/targets.bpf.c" -o "$SKELETONS/targets.bpf.o" &&
            "$SKELETON_KBTF" gen skeleton -L "$SKELETONS/targets.bpf.o" name targets >"$SKELETONS/targets.lskel.h" &&
            gcc -O1 -Wall -Wextra -Werror -I"$SKELETONS" "$SKELETON_SOURCES/targets.c" -static -o "$SKELETONS/targets"
    } >"$SKELETONS/targets.messages" 2>&1
}

run_skeletons() {
    local series step library
    for step in kbuild-inputs skeletons-inputs libraries-inputs; do
        bash "$HERE/$step.sh" >/dev/null || die "$step.sh failed"
    done
    for library in 1.1 1.8; do
        rm -rf "$WORK/skeletons-$library"
        skeletons_of "$library"
        skeleton_objects >"$SKELETONS/compiled" 2>&1 ||
            { verdict "skeletons $library" 1 "$(grep -m 1 error "$SKELETONS/compiled")"; return; }
        skeleton_loaders "$library"
        # bpftool 7.1 has a libbpf of its own, which maps other sections.
        [ "$library" = 1.1 ] || ordinary_skeletons "$library"
        [ "$library" != 1.1 ] || skeleton_alone
        skeleton_targets || verdict "skeletons $library, targets" 1 "$(head -n 1 "$SKELETONS/targets.messages")"
        for series in 6.1 6.12; do
            guest_skeletons "$library" "$series"
            [ "$library" = 1.1 ] || ordinary_guest "$series"
        done
    done
    skeletons_agree
}

# What kernels have after loading does not depend on the libbpf that made the loader.
skeletons_agree() {
    local series bad=0 count=0
    for series in 6.1 6.12; do
        cmp <(reported 1.1 "$series") <(reported 1.8 "$series") >>"$WORK/skeletons-agree" 2>&1 || bad=1
        count=$((count + $(reported 1.8 "$series" | wc -l)))
    done
    [ "$count" -gt 0 ] || bad=1
    verdict "skeletons, 1.1 and 1.8" "$bad" "$count objects that both load or do not load: $(head -n 1 "$WORK/skeletons-agree")"
}

# reported LIBBPF SERIES: the objects with both words, each with what the guest said of it.
reported() {
    grep -E "^(not )?ok [0-9]+ ($(grep -hE '^pair ' "$WORK"/skeletons-{1.1,1.8}/words | sort | uniq -d | sed 's/^pair //' | paste -sd'|'))( |\$)" \
        "$WORK/skeletons-$1/$2.said" | sed -E 's/^((not )?ok) [0-9]+ /\1 /' | sort
}
