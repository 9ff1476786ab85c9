#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: kernels with the patches of kbuild/patches, in virtual machines.
# SERIES in the environment picks among the series.
#
#   patched         on 6.12 and 7.2: the guest tests; with standalone BTF, too, of the same module on a build whose types
#                   have other ids; and standalone BTF of all of the kernel's modules
#   patched-kasan   damaged standalone BTF, under KASAN and kmemleak
#   patched-series  the patches of all series apply, checkpatch finds no errors, and what they touch compiles without
#                   warnings, with BPF and modules on and off

KERNELS=$REPO/selftests/kernels.sh

# series_of_patches SERIES...: of these, the ones that SERIES in the environment wants; without it all.
series_of_patches() { tr ' ' '\n' <<<"$*" | grep -xF "$(tr ' ' '\n' <<<"${SERIES:-$*}")" || true; }

# built NAME...: the kernels, see kernels.sh.
built() { "$KERNELS" "$@" >"$GUESTS/kernels" 2>&1 || { verdict "patched $*" 1 "$(tail -n 1 "$GUESTS/kernels")"; return 1; }; }

# build_of NAME: the directory with its objects. inside_of NAME: the same, for programs in its root.
build_of() { echo "$("$KERNELS" --directory "$1")/build$(variant_of "$1")"; }
inside_of() { echo "$("$KERNELS" --inside "$1")/build$(variant_of "$1")"; }
variant_of() { if [ "$1" != "${1#*-}" ]; then echo "-${1#*-}"; fi; }

# patched_environment NAME: of selftests/stage.sh; the other build is NAME-other.
patched_environment() {
    local build other=${1%%-*}-other types
    build=$(build_of "$1")
    # Those of the kernel with KASAN lack the network's.
    types=$(build_of "${1%%-*}")
    TYPES=$types/vmlinux.btf
    [ -e "$TYPES" ] && [ "$TYPES" -nt "$types/vmlinux" ] || btf_of "$types/vmlinux" "$TYPES"
    BASE=$build/vmlinux.btf STANDALONE=1 REFUSED=22 INSIDE=''
    [ -e "$BASE" ] && [ "$BASE" -nt "$build/vmlinux" ] || btf_of "$build/vmlinux" "$BASE"
    HEADERS=$build OTHER_HEADERS=$(build_of "$other") OTHER_BASE=$(build_of "$other")/vmlinux
    case $1 in
    6.*) ;;
    *) INSIDE=$CACHE/peers/sid HEADERS=$(inside_of "$1") OTHER_HEADERS=$(inside_of "$other") ;;
    esac
    export KBTF BASE TYPES STANDALONE REFUSED INSIDE HEADERS OTHER_HEADERS OTHER_BASE
}

# words_of NAME: of its kernel's command line. While 7.2 reads what the processor can do again, it takes itself for one
# without five levels of pages: an interrupt then is a wild access to KASAN.
words_of() { case $1 in *-kasan) echo "lsm=bpf no5lvl" ;; *) echo "lsm=bpf" ;; esac; }

# patched_boot NAME RESULTS TESTS OPTIONS...: results in $GUESTS/RESULTS.{ktap,log}
patched_boot() {
    local name=$1 results=$2 tests=$3
    shift 3
    "$KBTF" vm run --kernel "$(build_of "$name")/arch/x86/boot/bzImage" --cpus "$(processors_of "${name%%-*}")" \
        --append "$(words_of "$name")" --denylist "$REPO/selftests/DENYLIST" --test-timeout 400 --test "$tests" --log "$GUESTS/$results.log" "$@" \
        >"$GUESTS/$results.ktap" 2>"$GUESTS/$results.err"
}

# renumbered BASE KO BTF: what a kernel with that base shows of a module with standalone BTF.
renumbered() { "$KBTF" rebase -q --renumber-only --base "$1" --detached "$3" "$2"; }

# other_build SERIES: the modules of `patched_tests`, on the other build of the kernel.
other_build() {
    local bad=0 other=$1-other dir=$GUESTS/patched-$1 test
    rm -rf "$dir/other"
    mkdir -p "$dir/other"
    (patched_environment "$other")
    for test in standalone-module_btf standalone-own_types; do
        cp -r "$dir/tests/$test" "$dir/other/"
        renumbered "$(build_of "$other")/vmlinux.btf" "$dir/other/$test/kbtf_test.ko" "$dir/other/$test/kbtf_test.ko.btf"
        ! cmp -s "$dir/other/$test/kbtf_test.ko.btf" "$dir/tests/$test/kbtf_test.ko.btf" || bad=1
    done
    patched_boot "$other" "patched-$other" "$dir/other" || bad=1
    verdict "patched $1, the same module on another build" "$bad" "$(points "$GUESTS/patched-$other.ktap")"
}

# patched_modules SERIES: all modules of the kernel, its own test module and kbtf_sample, with standalone BTF.
patched_modules() {
    local series=$1 bad=0 build dir=$GUESTS/patched-$1 test ko
    build=$(build_of "$series")
    test=$dir/all/load
    rm -rf "$dir/all" "$dir/lib"
    mkdir -p "$test" "$dir/lib/modules/0.0/kernel"
    test_modules "$series" "$dir/lib/modules/0.0/kernel/" >"$dir/messages" 2>&1 || bad=1
    find "$build" -name '*.ko' -exec cp -t "$dir/lib/modules/0.0/kernel" {} +
    "$KBTF" encode -q --standalone "$dir/lib/modules/0.0/kernel" >>"$dir/messages" 2>&1 || bad=1
    depmod -b "$dir" 0.0 2>>"$dir/messages" || bad=1
    awk -F: '{ print $1, $1; n = split($2, needed, " "); for (i = 1; i <= n; i++) print needed[i], $1 }' \
        "$dir/lib/modules/0.0/modules.dep" | tsort >"$test/list"
    mv "$dir/lib/modules/0.0/kernel" "$test/kernel"
    for ko in "$test"/kernel/*.ko; do
        renumbered "$build/vmlinux.btf" "$ko" "$ko.btf" 2>>"$dir/messages" || bad=1
        strip --strip-debug "$ko"
    done
    find "$test" -type f -exec chmod a-x {} +
    cp "$dir/build/tests/load_modules" "$test/"
    patched_boot "$series" "patched-$series-all" "$dir/all" --memory 2048 --timeout 900 --test-timeout 800 || bad=1
    rm -rf "$dir/all" "$dir/lib"
    tr -d '\r' <"$GUESTS/patched-$series-all.log" | sed -n 's/.*kbtf: *# //p' >"$dir/told"
    # Neither of these needs hardware.
    [ -s "$dir/told" ] && ! grep -qE ' (kbtf_sample|bpf_testmod)( |$)' "$dir/told" || bad=1
    verdict "patched $series, standalone BTF of all modules" "$bad" \
        "$(sed -nE 's/^((listed|BTF refused) .*)/\1; /p' "$dir/told" | tr -d '\n')"
}

# test_modules SERIES DIR: the kernel's own bpf_testmod.ko, and kbtf_sample.ko, into the directory.
test_modules() {
    local source
    source=$("$KERNELS" --directory "$1")/linux/tools/testing/selftests/bpf
    case $1 in
    6.*) source+=/bpf_testmod ;;
    *) source+=/test_kmods ;;
    esac
    test_module "$1" "$source" bpf_testmod "$2"
    test_module "$1" "$REPO/selftests/modules/kbtf_sample" kbtf_sample "$2"
}

# test_module SERIES SOURCE NAME DIR: NAME.ko of the directory SOURCE, built for the kernel without BTF, into DIR.
test_module() {
    local root='' work=$GUESTS/patched-$1/module build make=(make)
    build=$(build_of "$1")
    case $1 in
    6.*) ;;
    *)
        build=$(inside_of "$1") root=$CACHE/peers/sid
        work=$root/tmp/kbtf-module
        # shellcheck disable=SC2016  # the inner shell expands these
        make=(unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" make)
        ;;
    esac
    rm -rf "$work"
    mkdir -p "$(dirname "$work")"
    cp -r "$2" "$work"
    "${make[@]}" -s -C "$build" M="${work#"$root"}" CONFIG_DEBUG_INFO_BTF_MODULES= modules
    cp "$work/$3.ko" "$4"
    rm -rf "$work"
}

# made_by_kbuild SERIES: tests of modules that the kernel's makefiles gave standalone BTF, with pahole and with kbtf.
made_by_kbuild() {
    local series=$1 dir=$GUESTS/patched-$1 work tool make roles test
    if [ -n "$INSIDE" ]; then
        work=$INSIDE/tmp/kbtf-made roles=/tmp/kbtf-roles
        rm -rf "$INSIDE$roles"
        mkdir -p "$INSIDE$roles"
        cp "$KBTF" "$INSIDE$roles/kbtf"
        ln -s kbtf "$INSIDE$roles/pahole"
        ln -s kbtf "$INSIDE$roles/resolve_btfids"
        # shellcheck disable=SC2016  # the inner shell expands these
        make=(unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$INSIDE" make)
    else
        work=$dir/made roles=$WORK/kernel/bin
        mkdir -p "$roles"
        ln -sf "$KBTF" "$roles/pahole"
        ln -sf "$KBTF" "$roles/resolve_btfids"
        make=(make PAHOLE="$CACHE/peers/bin/pahole-1.32")
    fi
    for tool in pahole kbtf; do
        rm -rf "$work"
        mkdir -p "$work"
        cp "$REPO"/selftests/modules/kbtf_test/*.[ch] "$REPO/selftests/modules/kbtf_test/Kbuild" "$work/"
        [ "$tool" = pahole ] || make+=(PAHOLE="$roles/pahole" RESOLVE_BTFIDS="$roles/resolve_btfids")
        "${make[@]}" -s -C "$HEADERS" M="${work#"$INSIDE"}" BTF_BASE= modules || return 1
        ! section "$work/kbtf_test.ko" .BTF.base >/dev/null || return 1
        content "$work/kbtf_test.ko" .modinfo | tr '\0' '\n' | grep -qE '^btf=standalone( |$)' || return 1
        test=$dir/tests/made-by-$tool
        mkdir "$test"
        strip --strip-debug -o "$test/kbtf_test.ko" "$work/kbtf_test.ko"
        renumbered "$BASE" "$test/kbtf_test.ko" "$test/kbtf_test.ko.btf" || return 1
        cp "$dir/build/tests/own_types" "$test/"
        # Headers may differ.
        strip -o "$test/kbtf" "$KBTF"
        chmod a-x "$test/kbtf"
    done
    # Without the variable, all is as it was; with another kernel's name, that is the base.
    "${make[@]}" -s -C "$HEADERS" M="${work#"$INSIDE"}" clean
    "${make[@]}" -s -C "$HEADERS" M="${work#"$INSIDE"}" modules
    "$KBTF" check -q --base "$BASE" "$work/kbtf_test.ko" || return 1
    "$KBTF" info --base "$BASE" "$work/kbtf_test.ko" | grep -qE 'split|distilled' || return 1
    ! content "$work/kbtf_test.ko" .modinfo | tr '\0' '\n' | grep -q '^btf=' || return 1
    "${make[@]}" -s -C "$HEADERS" M="${work#"$INSIDE"}" clean
    "${make[@]}" -s -C "$HEADERS" M="${work#"$INSIDE"}" BTF_BASE="$OTHER_HEADERS/vmlinux" modules
    "$KBTF" check -q --base "$OTHER_BASE" "$work/kbtf_test.ko" || return 1
    rm -rf "$work"
}

patched_tests() {
    local series=$1 bad=0 dir=$GUESTS/patched-$1 test
    rm -rf "$dir/tests"
    (patched_environment "$series-other")
    patched_environment "$series"
    bash "$REPO/selftests/stage.sh" "$dir" >"$dir.staging" 2>&1 ||
        { verdict "patched $series" 1 "$(tail -n 1 "$dir.staging")"; return; }
    made_by_kbuild "$series" >"$dir.made" 2>&1 ||
        { verdict "patched $series, BTF_BASE" 1 "$(tail -n 1 "$dir.made")"; return; }
    patched_boot "$series" "patched-$series" "$dir/tests" || bad=1
    verdict "patched $series guest tests" "$bad" "$(points "$GUESTS/patched-$series.ktap")"
}

run_patched() {
    local series
    mkdir -p "$GUESTS"
    for series in $(series_of_patches 6.12 7.2); do
        built "$series" "$series-other" || continue
        patched_tests "$series"
        other_build "$series"
        patched_modules "$series"
    done
}

# In several guests, for one of them takes long: each loads 1000 copies from a seed of its own.
run_patched_kasan() {
    local series bad round dir results said detail
    mkdir -p "$GUESTS"
    for series in $(series_of_patches 6.12 7.2); do
        bad=0 detail='' dir=$GUESTS/patched-$series-kasan
        built "$series" "$series-kasan" || continue
        patched_environment "$series-kasan"
        OTHER_HEADERS='' OTHER_BASE=''
        bash "$REPO/selftests/stage.sh" "$dir" >"$dir.staging" 2>&1 ||
            { verdict "patched $series, damaged" 1 "$(tail -n 1 "$dir.staging")"; continue; }
        mkdir -p "$dir/damaged"
        mv "$dir/tests/standalone-damaged_btf" "$dir/damaged/"
        for round in 1 2 3 4 5; do
            results=patched-$series-kasan-$round
            echo "1000 2026112$round" >"$dir/damaged/standalone-damaged_btf/mutants"
            patched_boot "$series-kasan" "$results" "$dir/damaged" --memory 3072 --timeout 3600 --test-timeout 3500 || bad=1
            said=$(tr -d '\r' <"$GUESTS/$results.log" | sed -n 's/.*# \([0-9]* mutants: .*\)/\1/p' | tail -n 1)
            [ -n "$said" ] || bad=1
            detail+="$(points "$GUESTS/$results.ktap"), $said; "
        done
        verdict "patched $series, damaged" "$bad" "${detail%; }"
    done
}

# Configurations in which what the patches touch is compiled, without warnings.
declare -A COMPILED=(
    [full]=''
    [no-bpf]='# CONFIG_BPF_SYSCALL is not set|# CONFIG_BPF_JIT is not set|# CONFIG_BPF_LSM is not set|# CONFIG_DEBUG_INFO_BTF is not set'
    [no-net]='# CONFIG_NET is not set'
    [no-preload]='# CONFIG_BPF_PRELOAD is not set'
    [no-modules]='# CONFIG_MODULES is not set'
    [32-bit]='# CONFIG_64BIT is not set'
    # Of other machines, and by clang.
    [arm64]='' [riscv64]='' [clang]=''
)

# is_compiled OBJECT < CONFIGURATION: whether a kernel with it has that object.
is_compiled() {
    local symbol
    case $1 in
    kernel/module/btf.o | kernel/bpf/btf_standalone.o) symbol=CONFIG_DEBUG_INFO_BTF_MODULES ;;
    kernel/module/*) symbol=CONFIG_MODULES ;;
    kernel/bpf/preload*) symbol=CONFIG_BPF_PRELOAD ;;
    kernel/bpf/*) symbol=CONFIG_BPF_SYSCALL ;;
    *) symbol=CONFIG_PRINTK ;;
    esac
    grep -qx "$symbol=y"
}

# compiled SERIES CONFIGURATION: what the patches touch; says how many, or what is wrong.
compiled() {
    local series=$1 dir build objects=() object make
    dir=$("$KERNELS" --directory "$series")
    # One directory for all of a machine's and a compiler's: its tools are built once.
    build=$dir/check
    case $2 in arm64 | riscv64 | clang) build+=-$2 ;; esac
    make=(make -s -j "$JOBS" -C "$dir/linux" O="$build" PAHOLE="$CACHE/peers/bin/pahole-1.32")
    case $2 in
    arm64) make+=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-) ;;
    riscv64) make+=(ARCH=riscv CROSS_COMPILE=riscv64-linux-gnu-) ;;
    # Later series need a later one.
    clang) case $series in 6.*) make+=(CC=clang-16) ;; *) make+=(CC=clang-19) ;; esac ;;
    esac
    mkdir -p "$build"
    {
        "${make[@]}" tinyconfig
        cat "$REPO"/kbuild/config/{bpf-small,patched}.config >>"$build/.config"
        tr '|' '\n' <<<"${COMPILED[$2]}" >>"$build/.config"
        "${make[@]}" olddefconfig
    } >"$build/log" 2>&1 || { echo "no configuration"; return 1; }
    while read -r object; do
        ! is_compiled "$object" <"$build/.config" || objects+=("$object")
    done < <(sed -n 's|^+++ b/\(.*\)\.c$|\1.o|p' "$REPO/kbuild/patches/$series"/*.patch | sort -u)
    "${make[@]}" prepare >"$build/log" 2>&1 || { echo "does not get ready: $(tail -n 1 "$build/log")"; return 1; }
    (cd "$build" && rm -f "${objects[@]}")
    "${make[@]}" W=1 "${objects[@]}" >"$build/log" 2>&1 || { echo "does not compile: $(grep -m 1 error "$build/log")"; return 1; }
    # Of these, 6.1 has two in init/main.c without the patches.
    ! grep 'warning:' "$build/log" | grep -vE "no previous prototype for .*(arch_post_acpi_subsys_init|poking_init)" || return 1
    echo "${#objects[@]}"
}

# patches_of SERIES: they apply, and checkpatch has no errors. People sign patches off.
patches_of() {
    local series=$1 dir errors
    "$KERNELS" --patch "$series" >"$GUESTS/patched-$series.applied" 2>&1 || { tail -n 1 "$GUESTS/patched-$series.applied"; return 1; }
    dir=$("$KERNELS" --directory "$series")
    errors=$(cd "$dir/linux" && perl scripts/checkpatch.pl --no-signoff --no-tree --show-types --summary-file \
        "$REPO/kbuild/patches/$series"/*.patch 2>/dev/null | grep -c '^ERROR:' || true)
    [ "$errors" = 0 ] || { echo "checkpatch: $errors errors"; return 1; }
}

# objects_of SERIES: the directories of `kbtf gen module` in the patched source, as modules and built in. What they need
# of the kernel is not built, so modpost does not look symbols up.
objects_of() {
    local series=$1 dir build objects=$GUESTS/patched-$1-objects make form name symbols=()
    dir=$("$KERNELS" --directory "$series")
    build=$dir/check-objects
    bash "$HERE/boot-inputs.sh" 6.12 >/dev/null || { echo "boot-inputs.sh failed"; return 1; }
    (
        TYPES=$CACHE/boot/6.12/vmlinux.btf OBJECT_SOURCE=$dir/linux/kernel/bpf/preload/iterators/iterators.bpf.c
        export TYPES OBJECT_SOURCE
        bash "$REPO/selftests/preloaded.sh" --tree "$objects"
    ) >"$objects.staging" 2>&1 || { tail -n 1 "$objects.staging"; return 1; }
    OBJECTS=$objects/objects "$KERNELS" --patch "$series" >"$objects.staging" 2>&1 || { tail -n 1 "$objects.staging"; return 1; }
    make=(make -s -j "$JOBS" -C "$dir/linux-objects" O="$build" PAHOLE="$CACHE/peers/bin/pahole-1.32")
    for name in "$objects"/objects/*/; do symbols+=("$(basename "$name")"); done
    for form in y m; do
        mkdir -p "$build"
        {
            "${make[@]}" tinyconfig
            cat "$REPO"/kbuild/config/{bpf-small,patched}.config >>"$build/.config"
            for name in "${symbols[@]}"; do echo "CONFIG_BPF_OBJECT_${name^^}=$form"; done >>"$build/.config"
            "${make[@]}" olddefconfig modules_prepare
        } >"$build/log" 2>&1 || { echo "does not get ready: $(tail -n 1 "$build/log")"; return 1; }
        [ "$(grep -c "^CONFIG_BPF_OBJECT_.*=$form\$" "$build/.config")" = "${#symbols[@]}" ] ||
            { echo "=$form is not accepted"; return 1; }
        rm -rf "$build/drivers/kbtf"
        for name in "${symbols[@]}"; do
            case $form in
            y) set -- "drivers/kbtf/$name/" ;;
            m) set -- "drivers/kbtf/$name/$name.ko" ;;
            esac
            "${make[@]}" W=1 KBUILD_MODPOST_WARN=1 CONFIG_DEBUG_INFO_BTF_MODULES= "$@" >"$build/log" 2>&1 || { echo "$name=$form: $(grep -m 1 error "$build/log")"; return 1; }
            ! grep 'warning:' "$build/log" || return 1
            [ -e "$build/drivers/kbtf/$name/$name.o" ] && { [ "$form" = y ] || modinfo "$build/drivers/kbtf/$name/$name.ko" >/dev/null; } ||
                { echo "$name=$form: nothing was made"; return 1; }
        done
    done
    echo "${#symbols[@]} directories"
}

run_patched_series() {
    local series configuration bad said detail tool
    mkdir -p "$GUESTS"
    for tool in aarch64-linux-gnu-gcc riscv64-linux-gnu-gcc clang-16 clang-19; do
        command -v "$tool" >/dev/null || { verdict "patches" 1 "no $tool: selftests/setup.sh --machines"; return; }
    done
    for series in $(series_of_patches 6.1 6.12 7.2 7.3); do
        bad=0 detail=''
        said=$(patches_of "$series") || { verdict "patches of $series" 1 "$said"; continue; }
        for configuration in full no-bpf no-net no-preload no-modules 32-bit arm64 riscv64 clang; do
            said=$(compiled "$series" "$configuration") || bad=1
            detail+="$configuration: $said; "
        done
        said=$(objects_of "$series") || bad=1
        detail+="objects in the tree: $said; "
        verdict "patches of $series" "$bad" "objects without warnings: ${detail%; }"
    done
}
