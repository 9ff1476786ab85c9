#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: real kernels take our BTF, in virtual machines.
#
#   guests   the guest tests of selftests/ on 6.1, 6.12, 7.2 and 7.3; distilled BTF of another ABI or flavour on all but
#            the first
#   small    the small 6.12 kernel of kernel.sh, whose own BTF and .BTF_ids kbtf made, runs them as well; and loads a
#            module made of a BPF object, signed with its key, and no other
#   images   the same in Debian images of the four, with modules that were made inside
#   preload  modules made of BPF objects, in all modes, each with the test that kbtf writes of it, on the four
#   load     every module that ships with them, encoded again and replaced: loaded, and its BTF seen in sysfs

GUESTS=$WORK/guests
# Fewer on request.
read -ra GENERATIONS <<<"${GENERATIONS:-6.1 6.12 7.2 7.3}"

kernel_of() {
    case $1 in
    7.*) echo "$CACHE/vm/$1/vmlinuz" ;;
    small) echo "$GUESTS/small/vmlinuz" ;;
    *) echo "$CACHE/kernels/$1/image/boot/vmlinuz-$(release_of "$1")" ;;
    esac
}

# Two processors make 7.2 and later stop under QEMU 7.2's TCG where they patch their own code.
processors_of() { if is_in_sid "$1"; then echo 1; else echo 2; fi; }

# base_file SERIES: the BTF of that kernel, as it ships; of the small one, which has ours.
base_file() {
    case $1 in
    7.*)
        [ -e "$GUESTS/$1.btf" ] || btf_of "$(vmlinux_of "$1")" "$GUESTS/$1.btf"
        echo "$GUESTS/$1.btf"
        ;;
    small) echo "$GUESTS/small/vmlinux.btf" ;;
    *) echo "$CACHE/kernels/$1/vmlinux.btf" ;;
    esac
}

# booted SERIES NAME TESTS OPTIONS...: results in $GUESTS/SERIES-NAME.{ktap,log}
booted() {
    local series=$1 name=$2 tests=$3
    shift 3
    "$KBTF" vm run --kernel "$(kernel_of "$series")" --cpus "$(processors_of "$series")" --append lsm=bpf \
        --denylist "$REPO/selftests/DENYLIST" --test-timeout 400 --test "$tests" --log "$GUESTS/$series-$name.log" "$@" \
        >"$GUESTS/$series-$name.ktap" 2>"$GUESTS/$series-$name.err"
}

# points FILE: how many innermost points passed, or which did not.
points() {
    if grep -q '^ *not ok ' "$1"; then
        echo "$(sed -n 's/^ *not ok [0-9]* //p' "$1" | sort -u | tr '\n' ' ')failed"
    else
        sed -n 's/^# Totals: pass:\([0-9]*\).*/\1 points passed/p' "$1" | tail -n 1
    fi
}

# guest_environment SERIES: the environment of selftests/stage.sh and preload.sh.
guest_environment() {
    local series=$1
    export KBTF
    BASE=$(base_file "$series")
    HEADERS='' INSIDE='' OTHER_BASE='' OTHER_HEADERS='' REFUSED=0
    case $series in
    6.1) HEADERS=$CACHE/kbuild/6.1/build ;;
    small) HEADERS=$SMALL ;;
    6.12)
        HEADERS=$CACHE/kbuild/6.12/build
        if [ -e "$CACHE/vm/6.12/other/build" ]; then
            OTHER_HEADERS=$CACHE/vm/6.12/other/build
            OTHER_BASE=$OTHER_HEADERS/vmlinux
        fi
        ;;
    7.*)
        INSIDE=$CACHE/peers/sid
        HEADERS=/usr/src/linux-headers-$(release_of "$series")
        OTHER_HEADERS=$(<"$CACHE/vm/$series/other-headers")
        OTHER_BASE=$INSIDE$OTHER_HEADERS/vmlinux
        # EINVAL
        REFUSED=22
        ;;
    esac
    export BASE HEADERS INSIDE OTHER_BASE OTHER_HEADERS REFUSED
}

guest_tests() {
    local series=$1 bad=0
    guest_environment "$series"
    bash "$REPO/selftests/stage.sh" "$GUESTS/$series" >"$GUESTS/$series.staging" 2>&1 ||
        { verdict "$series guest tests" 1 "$(tail -n 1 "$GUESTS/$series.staging")"; return; }
    booted "$series" tests "$GUESTS/$series/tests" || bad=1
    verdict "$series guest tests" "$bad" "$(points "$GUESTS/$series-tests.ktap")"
}

# What both need; $GUESTS is what they leave.
guests_inputs() {
    mkdir -p "$GUESTS"
    local step
    for step in kbuild-inputs guests-inputs; do
        bash "$HERE/$step.sh" >/dev/null || die "$step.sh failed"
    done
}

run_guests() {
    local series
    guests_inputs
    for series in "${GENERATIONS[@]}"; do guest_tests "$series"; done
}

# A point that is skipped would say that less is tested than docs/preload.md tells: two have no data to compare.
preload() {
    local series=$1 bad=0 dir=$GUESTS/preload-$1 skipped
    guest_environment "$series"
    bash "$REPO/selftests/preload.sh" "$dir" >"$dir.staging" 2>&1 ||
        { verdict "$series preload" 1 "$(tail -n 1 "$dir.staging")"; return; }
    booted "$series" preload "$dir/tests" || bad=1
    skipped=$(tail -n 1 "$GUESTS/$series-preload.ktap" | sed -n 's/.* skip:\([0-9]*\) .*/\1/p')
    # Two objects have no read-only data, and these kernels no list of objects to preload.
    [ "$skipped" = 3 ] || bad=1
    rm -rf "$dir"
    verdict "$series preload" "$bad" "$(points "$GUESTS/$series-preload.ktap"), ${skipped:-none} skipped"
}

run_preload() {
    local series
    guests_inputs
    for series in "${GENERATIONS[@]}"; do preload "$series"; done
}

# Whole systems: made by their own compilers, with kbtf in the roles of the kernels' tools.
run_images() {
    local series bad
    mkdir -p "$GUESTS"
    for series in "${GENERATIONS[@]}"; do
        bad=0
        "$REPO/selftests/image.sh" "$series" >"$GUESTS/$series-image.made" 2>&1 ||
            { verdict "$series image" 1 "$(tail -n 1 "$GUESTS/$series-image.made")"; continue; }
        "$REPO/selftests/image-test.sh" "$series" --log "$GUESTS/$series-image.log" \
            >"$GUESTS/$series-image.ktap" 2>"$GUESTS/$series-image.err" || bad=1
        verdict "$series image" "$bad" "$(points "$GUESTS/$series-image.ktap")"
    done
}

# A kernel that has no BTF but ours.
run_small() {
    local bad=0 dir=$GUESTS/small ours
    guests_inputs
    mkdir -p "$dir/bin"
    ln -sf "$KBTF" "$dir/bin/pahole"
    ln -sf "$KBTF" "$dir/bin/resolve_btfids"
    ours=(PAHOLE="$dir/bin/pahole" RESOLVE_BTFIDS="$dir/bin/resolve_btfids")
    small_config
    rm -f "$SMALL/vmlinux"
    small_make "${ours[@]}" bzImage modules >"$dir/made" 2>&1 || { verdict "small kernel" 1 "$(tail -n 1 "$dir/made")"; return; }
    cp "$SMALL/arch/x86/boot/bzImage" "$dir/vmlinuz"
    btf_of "$SMALL/vmlinux" "$dir/vmlinux.btf"
    guest_environment small
    VMLINUX_BTF=$BASE bash "$REPO/selftests/stage.sh" "$dir" >"$dir/staging" 2>&1 ||
        { verdict "small kernel" 1 "$(tail -n 1 "$dir/staging")"; return; }
    "$BPFTOOL" btf dump file "$dir/vmlinux.btf" >"$dir/dumped" 2>&1 || bad=1
    booted small tests "$dir/tests" || bad=1
    verdict "small kernel, BTF by kbtf" "$bad" "$(points "$GUESTS/small-tests.ktap")"
    small_signed "$dir/build/progs/preload/variables.bpf.o" "${ours[@]}"
}

# small_signed OBJECT ARGUMENTS...: where only signed modules load, one that is made of a BPF object, by make with the
# ARGUMENTS, does, signed with the key that the kernel was built with, and does not, unsigned or with another key.
small_signed() {
    local bad=0 dir=$GUESTS/small/signed key=$SMALL/certs/signing_key.pem who said detail=''
    local boot=(--kernel "$(kernel_of small)" --append "lsm=bpf module.sig_enforce=1")
    mkdir "$dir"
    {
        make -s -C "$REPO/selftests" O="$GUESTS/small/build" VMLINUX="$GUESTS/small/vmlinux.btf" KBTF="$KBTF" preload &&
            "$KBTF" gen module -q -o "$dir/unsigned" "$1" &&
            make -s -C "$SMALL" M="$dir/unsigned" "${@:2}" modules &&
            openssl req -new -x509 -newkey rsa:2048 -nodes -subj "/CN=another" -keyout "$dir/other.pem" -out "$dir/other.x509"
    } >"$dir.made" 2>&1 || { verdict "small kernel, signed module" 1 "$(tail -n 1 "$dir.made")"; return; }
    mkdir "$dir"/{signed,other}
    "$SMALL/scripts/sign-file" sha256 "$key" "$SMALL/certs/signing_key.x509" "$dir"/{unsigned,signed}/variables.ko &&
        "$SMALL/scripts/sign-file" sha256 "$dir/other.pem" "$dir/other.x509" "$dir"/{unsigned,other}/variables.ko || bad=1
    while read -r who said; do
        if "$KBTF" vm run "${boot[@]}" --module "$dir/$who/variables.ko" --log "$dir/$who.log" >"$dir/$who.ktap" 2>&1; then
            [ "$said" = loads ] || bad=1
        else
            [ "$said" != loads ] && grep -qF "Loading of $said is rejected" "$dir/$who.log" || bad=1
        fi
        detail+="$who: $said; "
    done <<'EXPECTED'
signed loads
unsigned unsigned module
other module with unavailable key
EXPECTED
    # Nor has it anything to say of it where others would do.
    "$KBTF" vm run --kernel "$(kernel_of small)" --append lsm=bpf --module "$dir/signed/variables.ko" \
        --log "$dir/plain.log" >"$dir/plain.ktap" 2>&1 && ! grep -q 'module verification failed' "$dir/plain.log" || bad=1
    verdict "small kernel, signed module" "$bad" "sig_enforce=1: ${detail%; }"
}

debug_modules() { if is_in_sid "$1"; then echo "$CACHE/vm/$1/debug"; else modules_of "$1"; fi; }

# refit BASE FOLDER KO...: puts FOLDER/NAME.ko.btf into each. Its ids are of the BTF that it came with. OBJCOPY
# names that of the modules' machine.
refit() {
    local base=$1 btf=$2 ko objcopy=${OBJCOPY:-objcopy}
    shift 2
    for ko; do
        if ! section "$ko" .BTF_ids >/dev/null; then
            "$objcopy" --update-section ".BTF=$btf/${ko##*/}.btf" "$ko"
            continue
        fi
        "$COMPARE" blank-ids --base "$base" "$ko" "$ko.blank"
        "$objcopy" --update-section ".BTF=$btf/${ko##*/}.btf" "$ko.blank" "$ko"
        rm "$ko.blank"
        "$KBTF" ids --fill -q --base "$base" "$ko"
    done
}

load() {
    local series=$1 dir=$GUESTS/load-$1 base release test detail bad=0
    release=$(release_of "$series")
    base=$(base_file "$series")
    test=$dir/tests/load
    mkdir -p "$dir/btf" "$dir/lib/modules/$release" "$test"
    cp -r "$(shipped_of "$series")/kernel" "$dir/lib/modules/$release/"
    "$KBTF" encode -q --base "$base" --detached-dir "$dir/btf" "$(debug_modules "$series")" >"$dir/messages" 2>&1 || bad=1
    # What is Rust alone has no BTF, and keeps none; all others must get ours.
    (
        export -f refit section
        export base COMPARE KBTF dir
        cd "$dir/lib/modules/$release"
        # shellcheck disable=SC2016  # the inner shell expands these
        find kernel -name '*.ko' -printf '%f %p\n' | while read -r name ko; do
            if [ -e "$dir/btf/$name.btf" ]; then
                echo "$ko"
            elif section "$ko" .BTF >/dev/null; then
                echo "$ko: encode made no BTF" >&2
                touch "$dir/unmade"
            fi
        done | xargs -P "$JOBS" -n 20 bash -euo pipefail -c 'refit "$base" "$dir/btf" "$@"' refit
    ) >>"$dir/messages" 2>&1 || bad=1
    [ ! -e "$dir/unmade" ] || bad=1
    depmod -b "$dir" "$release" 2>>"$dir/messages" || bad=1
    awk -F: '{ print $1, $1; n = split($2, needed, " "); for (i = 1; i <= n; i++) print needed[i], $1 }' \
        "$dir/lib/modules/$release/modules.dep" | tsort >"$test/list"
    mv "$dir/lib/modules/$release/kernel" "$test/kernel"
    rm -rf "${dir:?}/lib" "$dir/btf"
    # Files with an executable bit would be tests.
    find "$test" -type f -exec chmod a-x {} +
    make -s -C "$REPO/selftests" O="$GUESTS/load-build" VMLINUX="$base" KBTF="$KBTF" "$GUESTS/load-build/tests/load_modules" \
        >>"$dir/messages" 2>&1 || bad=1
    cp "$GUESTS/load-build/tests/load_modules" "$test/"
    # Self-tests of ciphers ask for modules, which nobody here loads for them, and warn.
    booted "$series" load "$dir/tests" --memory 3072 --timeout 900 --test-timeout 800 --append cryptomgr.notests || bad=1
    rm -rf "$dir/tests"
    # What the test tells besides its points is in the console's log only.
    tr -d '\r' <"$GUESTS/$series-load.log" | sed -n 's/.*kbtf: *# //p' >"$dir/told"
    grep -q '^listed ' "$dir/told" || bad=1
    detail=$(sed -nE 's/^((listed|BTF refused) .*)/\1; /p' "$dir/told" | tr -d '\n')
    detail+="not loadable here: $(sed -nE 's/^(E[A-Z0-9]+|did not come back|unknown errno): ([0-9]+)$/\1 \2, /p' "$dir/told" | tr -d '\n')"
    verdict "$series load" "$bad" "${detail%, }"
}

run_load() {
    local series
    guests_inputs
    for series in "${GENERATIONS[@]}"; do load "$series"; done
}
