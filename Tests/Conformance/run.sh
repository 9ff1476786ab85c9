#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Holds kbtf against other programs over whole real kernels. CHECKS picks among the words below; without it all are
# run. Prints one line per check, PASS or FAIL; exit status 1 when one failed. What each compared is kept under
# $CACHE/conformance until the next run.
#
# KBTF names the release build of kbtf, as make does; the other program is built beside it.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The words of CHECKS in the order of a full run, each with what runs it; the part that has it tells more.
WORDS=(
    # Every module of a series, against pahole 1.32 and the BTF that it shipped with: series.sh
    "6.1 run_series 6.1"
    "6.12 run_series 6.12"
    # ... of arm64 and s390x, without a base
    "foreign run_foreign"
    # Small inputs by every compiler that is installed: compilers.sh
    "compilers run_compilers"
    # The stream of DWARF entries, against libdw
    "dies dies"
    # One job, two jobs, another directory
    "same-bytes same_bytes"
    # Every function and per-CPU variable of 200 modules is in the BTF or in the ledger, by pyelftools: ledger.sh
    "ledger run_ledger"
    # Every inlined call of 120 modules is in .BTF.inline, with the places of its parameters, by pyelftools: sites.sh
    "sites run_sites"
    # Kernels, against pahole 1.32: vmlinux.sh
    "vmlinux run_vmlinux"
    # --target, against pahole with the features that are left: target.sh
    "target run_target"
    # Where the members of all structs are, against pahole: layouts.sh
    "layouts run_layouts"
    # What compilers make of C dumps of ten machines' kernels has the layouts of the BTF: c-dumps.sh
    "c-dumps run_c_dumps"
    # Forty modules and the kernel of nine machines, against pahole 1.32: archs.sh
    "archs run_archs"
    # Random C programs by four compilers; kernels answer to their BTF as predicted: random.sh
    "random run_random"
    # Modules built out of tree with kbtf as PAHOLE and RESOLVE_BTFIDS, against the kernel's own tools: kbuild.sh
    "kbuild run_kbuild"
    # A small kernel, likewise: kernel.sh
    "kernel run_kernel"
    # .BTF_ids and the steps of 7.2's build, against the kernels' own tool: ids.sh
    "ids run_ids"
    # Standalone BTF put onto bases, split BTF moved from one to another: rebase.sh
    "rebase run_rebase"
    # Distilled and relocated, against libbpf and pahole: distill.sh
    "distill run_distill"
    # BPF programs attach by our BTF, in virtual machines of four kernels: guests.sh
    "guests run_guests"
    # ... in Debian images of the four
    "images run_images"
    # Kernels of other machines boot and load some of their modules, with our BTF if the kernel has BTF: machines.sh
    "arm64 run_machines arm64"
    "s390x run_machines s390x"
    "riscv64 run_machines riscv64"
    "ppc64el run_machines ppc64el"
    "armhf run_machines armhf"
    "i386 run_machines i386"
    "mipsel run_machines mipsel"
    "mips64el run_machines mips64el"
    "loong64 run_machines loong64"
    "machine-tests run_machine_tests"
    # The guest tests in a kernel whose own BTF kbtf made: guests.sh
    "small run_small"
    # Modules made of BPF objects load, work and go
    "preload run_preload"
    # They come and go a hundred times, fail at every step, and leave nothing behind: modules.sh
    "modules run_preload_modules"
    # What users set when they load them: parameters.sh
    "parameters run_parameters"
    # The variables that kernels' BTF lacks, as BTF of a module: variables.sh
    "variables run_variables"
    # Kernels with kbuild/patches accept standalone BTF: patched.sh
    "patched run_patched"
    # ... preload lists of BPF objects, and keep them: preloaded.sh
    "patched-preload run_patched_preload"
    # ... show it so that bpftool, pahole and bpftrace read it: readers.sh
    "patched-readers run_patched_readers"
    # ... accept damaged BTF without harm
    "patched-kasan run_patched_kasan"
    # All series of these patches apply and compile
    "patched-series run_patched_series"
    # Programs read the arguments that callers pass, in kernels of five machines: arguments.sh
    "arguments run_arguments"
    # Broken systems, and the causes and cures that doctor names: doctor.sh
    "doctor run_doctor"
    # Five modules, six kernels: thirty answers as predicted: matrix.sh
    "matrix run_matrix"
    # Pages of `kbtf size --html` in a real browser, light and dark: size.sh
    "size run_size"
    # The Debian package in a bare system: DKMS modules of two kernels get BTF, purging leaves nothing: packages.sh
    "packages run_packages"
    # Kernels answer as `kbtf attach` predicts: attach.sh
    "attach run_attach"
    # Objects that name structs of modules load on a kernel that shows no BTF: min-core-btf.sh
    "min-core-btf run_min_core_btf"
    # Every module that ships with the four loads with our BTF in its place: guests.sh
    "load run_load"
    # Kernels answer to BTF, sound or not, what kbtf says they will; libbpf passes on what kbtf says: verdicts.sh
    "verdicts run_verdicts"
    # Kinds that nobody knows, with layouts right and wrong, against bpftool 7.8: unknown-kinds.sh
    "unknown-kinds run_unknown_kinds"
    # BPF objects are taken, refused and linked as by bpftool 7.1: objects.sh
    "objects run_objects"
    # kbtf with every libbpf that Debian has: libraries.sh
    "libraries run_libraries"
    # Skeletons of all kinds, against those of bpftool 7.1 and 7.8: skeletons.sh, ordinary.sh
    "skeletons run_skeletons"
    # Light skeletons by the kernel's own makefiles: lskels.sh
    "lskels run_lskels"
    # What kernels say of bpftool's signed skeletons in modules: signing.sh
    "signing run_signing"
)

# command_of WORD: what runs it; nothing if there is no such word.
command_of() {
    local line
    for line in "${WORDS[@]}"; do
        [ "${line%% *}" != "$1" ] || echo "${line#* }"
    done
}

# Before anything is thrown away.
CHECKS=${CHECKS:-${WORDS[*]%% *}}
for word in $CHECKS; do
    [ -n "$(command_of "$word")" ] || die "no such check: $word (${WORDS[*]%% *})"
done

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
: "${KBTF:=$REPO/.build/release/kbtf}"
SCRATCH=${KBTF%/release/kbtf}
COMPARE=$SCRATCH/tools/release/kbtf-conformance
BPFTOOL=$CACHE/peers/bin/bpftool-7.8
WORK=$CACHE/conformance
JOBS=$(nproc)
export BPFTOOL KBTF CACHE WORK

# shellcheck source=features.sh
source "$HERE/features.sh"
# shellcheck source=comparing.sh
source "$HERE/comparing.sh"
# shellcheck source=arguments.sh
source "$HERE/arguments.sh"
# shellcheck source=series.sh
source "$HERE/series.sh"
# shellcheck source=ledger.sh
source "$HERE/ledger.sh"
# shellcheck source=sites.sh
source "$HERE/sites.sh"
# shellcheck source=vmlinux.sh
source "$HERE/vmlinux.sh"
# shellcheck source=target.sh
source "$HERE/target.sh"
# shellcheck source=layouts.sh
source "$HERE/layouts.sh"
# shellcheck source=c-dumps.sh
source "$HERE/c-dumps.sh"
# shellcheck source=compilers.sh
source "$HERE/compilers.sh"
# shellcheck source=kbuild.sh
source "$HERE/kbuild.sh"
# shellcheck source=kernel.sh
source "$HERE/kernel.sh"
# shellcheck source=ids.sh
source "$HERE/ids.sh"
# shellcheck source=rebase.sh
source "$HERE/rebase.sh"
# shellcheck source=distill.sh
source "$HERE/distill.sh"
# shellcheck source=guests.sh
source "$HERE/guests.sh"
# shellcheck source=doctor.sh
source "$HERE/doctor.sh"
# shellcheck source=matrix.sh
source "$HERE/matrix.sh"
# shellcheck source=size.sh
source "$HERE/size.sh"
# shellcheck source=packages.sh
source "$HERE/packages.sh"
# shellcheck source=attach.sh
source "$HERE/attach.sh"
# shellcheck source=patched.sh
source "$HERE/patched.sh"
# shellcheck source=preloaded.sh
source "$HERE/preloaded.sh"
# shellcheck source=readers.sh
source "$HERE/readers.sh"
# shellcheck source=modules.sh
source "$HERE/modules.sh"
# shellcheck source=parameters.sh
source "$HERE/parameters.sh"
# shellcheck source=variables.sh
source "$HERE/variables.sh"
# shellcheck source=objects.sh
source "$HERE/objects.sh"
# shellcheck source=libraries.sh
source "$HERE/libraries.sh"
# shellcheck source=skeletons.sh
source "$HERE/skeletons.sh"
# shellcheck source=lskels.sh
source "$HERE/lskels.sh"
# shellcheck source=ordinary.sh
source "$HERE/ordinary.sh"
# shellcheck source=min-core-btf.sh
source "$HERE/min-core-btf.sh"
# shellcheck source=unknown-kinds.sh
source "$HERE/unknown-kinds.sh"
# shellcheck source=passed-on.sh
source "$HERE/passed-on.sh"
# shellcheck source=verdicts.sh
source "$HERE/verdicts.sh"
# shellcheck source=archs.sh
source "$HERE/archs.sh"
# shellcheck source=random.sh
source "$HERE/random.sh"
# shellcheck source=signing.sh
source "$HERE/signing.sh"
# shellcheck source=machines.sh
source "$HERE/machines.sh"

[[ $CACHE != *[[:space:]]* ]] || die "the cache folder's path has a blank in it"
# Only what the words read is fetched and made: the oracles alone take most of an hour.
steps=() targets=(build)
for word in $CHECKS; do
    case $word in
    # Patched kernels are built here; nothing else is compared with them.
    patched*) [ "${#steps[@]}" != 0 ] || steps=(peers) ;;
    # These make or fetch what they need, and compare with no other program.
    packages | matrix | size | lskels) ;;
    # These ask kernels alone, and fetch them.
    verdicts | attach) targets=(build tools) ;;
    6.1 | 6.12 | foreign | same-bytes | vmlinux | rebase | distill) steps=(inputs peers oracles) targets=(build tools) ;;
    *) [ "${#steps[@]}" = 3 ] || steps=(inputs peers) targets=(build tools) ;;
    esac
done
for step in "${steps[@]}"; do
    bash "$HERE/$step.sh" || die "$step.sh failed"
done
# Relative, for make splits a path at its blanks.
make -C "$REPO" SCRATCH="$(realpath --relative-to="$REPO" "$SCRATCH")" "${targets[@]}" >"$CACHE/conformance.build" 2>&1 ||
    { tail -n 20 "$CACHE/conformance.build" >&2; die "kbtf does not build"; }

lock
rm -rf "$WORK"
mkdir -p "$WORK"/{6.1,6.12,7.2,7.3,6.1-amd64,6.1-arm64,6.1-s390x}
SECONDS=0
for word in $CHECKS; do
    read -ra command <<<"$(command_of "$word")"
    "${command[@]}"
done
echo "$failures of $(wc -l <"$WORK/table") checks failed, $SECONDS s; details in the cache folder, under conformance/"
[ "$failures" = 0 ]
