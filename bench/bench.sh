#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Times kbtf beside pahole and bpftool: whole processes, in turn, on real kernels.
#
#   vmlinux   three cloud kernels and one for all machines, which is also compared by entry
#   module    two modules, a process each
#   modules   112 modules, a process each
#   batch     all modules of a kernel: one kbtf, and a loop of pahole
#   check     all modules of a kernel as they ship, beside the kbtf of before; so rebase and diff
#   dump      BTF of a vmlinux as C, as JSON and raw, against bpftool
#   ids       kbtf as resolve_btfids on a vmlinux, beside the kernels' own
#   pipeline  a module of 7.2 and 7.3 through both roles, beside pahole and that kernel's resolve_btfids
#   skeletons light skeletons, against bpftool
#   start     --version
#   vm        a module in a virtual machine, beside a script that calls QEMU; 20 modules, each in a guest of its own
#   size      of kbtf on disk
#   build     a clean release build, beside that of before
#
# CASES picks some of them. Only a run of all of them is written to bench/RESULTS.md; what some of
# them gave is printed and kept in the cache directory, under bench/. RUNS is how many
# rounds each race has, instead of what the case says.
#
# Nothing depends on the outcome: exit status 1 only when something could not be measured.
# KBTF names the release build of kbtf, as make does.

BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(dirname "$BENCH")
CONFORMANCE=$REPO/Tests/Conformance
# shellcheck source-path=SCRIPTDIR source=../Tests/Conformance/common.sh
source "$CONFORMANCE/common.sh"
# shellcheck source-path=SCRIPTDIR source=measure.sh
source "$BENCH/measure.sh"
for file in "$BENCH"/cases/*.sh; do
    # shellcheck source=/dev/null
    source "$file"
done

ALL="vmlinux module modules batch check rebase diff dump ids pipeline skeletons start size vm build"
: "${CASES:=$ALL}"
: "${KBTF:=$REPO/.build/release/kbtf}"
SCRATCH=${KBTF%/release/kbtf}
WORK=$CACHE/bench
export KBTF WORK
# What pahole 1.32 understands by `default`, kfunc tags apart: the oracles' list, too.
FEATURES=encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func

for tool in hyperfine jq valgrind /usr/bin/time; do
    command -v "$tool" >/dev/null || die "there is no $tool: apt-get install ${tool##*/}"
done
[[ $CACHE != *[[:space:]]* ]] || die "the path of the cache has a blank in it"
for name in $CASES; do
    [ "$(type -t "case_$name")" = function ] || die "no such case: $name ($ALL)"
done
for step in inputs peers; do
    bash "$CONFORMANCE/$step.sh" >/dev/null || die "$step.sh failed"
done
# Its default is relative, and so may have a blank before it.
scratch=()
[ "$SCRATCH" = "$REPO/.build" ] || scratch=("SCRATCH=$SCRATCH")
make -C "$REPO" "${scratch[@]}" build tools >"$CACHE/bench.build" 2>&1 ||
    { tail -n 20 "$CACHE/bench.build" >&2; die "kbtf does not build"; }

export BENCH_BEFORE=${BENCH_BEFORE:-1e99d20}
# shellcheck disable=SC2034  # the cases use it
BEFORE=$CACHE/bench-before/$BENCH_BEFORE/kbtf
case " $CASES " in *" check "* | *" rebase "* | *" diff "* | *" size "*) bash "$BENCH/before.sh" || die "before.sh failed" ;; esac

lock
rm -rf "$WORK"
mkdir -p "$WORK/bin"
# Commands are split at blanks, which the path of this tree may have.
for name in kbtf pahole resolve_btfids bpftool; do ln -s "$(readlink -f "$KBTF")" "$WORK/bin/$name"; done
ln -s "$BENCH/vm-plain.sh" "$WORK/bin/"
KBTF=$WORK/bin/kbtf
MODULE_BASE=$WORK/base-1.32.btf
# shellcheck disable=SC2034  # the cases use them
PAHOLE_124=$(unwrapped pahole-1.24)
# shellcheck disable=SC2034
PAHOLE_132=$(unwrapped pahole-1.32)
# shellcheck disable=SC2034
BPFTOOL=$(unwrapped bpftool-7.8)

# say: what goes into the results, on standard input.
say() { tee -a "$WORK/RESULTS.md"; }

say <<HEAD
<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause -->
# Time and memory beside pahole and bpftool

Written by \`make bench\`, $(date -u +%Y-%m-%d). $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed q), $(nproc) processors,
$(awk '$1 == "MemTotal:" { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo) of memory, Linux $(uname -r). Load average before: $(cut -d' ' -f1 /proc/loadavg).

Whole processes, timed by hyperfine -N, the commands of a table in turn, short ones several times in a row, and as often as its last column says in all,
after runs of each that are not counted. Processor time is the mean of user and system time together. Peak memory is the
kernel's own accounting (wait4), median of $PEAKS runs; of a loop, that of its largest process. kbtf takes as many
threads as it likes; pahole takes one unless -j says more. pahole 1.32 has libbpf 1.8. Features:
$FEATURES; pahole 1.24 knows
no lists and has what it always does, with --btf_gen_floats. All: --lang_exclude=rust. Files are in the page cache.
A goal is met when the ratio of the medians and that of the minima both say so.
HEAD
for name in $CASES; do "case_$name"; done

for name in $ALL; do
    [[ " $CASES " == *" $name "* ]] || { echo "bench: not all cases: bench/RESULTS.md stays as it is" >&2; exit 0; }
done
mv "$WORK/RESULTS.md" "$BENCH/RESULTS.md"
