#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Checks the walls of ARCHITECTURE.md: which room imports what, where `unsafe`
# may stand, and that no library talks to the user or to the world.

set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit

# What a room may import; a room that is not here may not exist. Synchronization
# is the standard library's, and free for all that may share memory.
declare -A imports=(
    [Bytes]="Synchronization"
    [Tables]="Bytes Synchronization"
    [HostIO]="Bytes CLinux CMalloc Glibc Synchronization"
    [ELF]="Bytes Tables HostIO CElf CZlib CZstd Glibc Synchronization"
    [DWARF]="Bytes Tables HostIO ELF Glibc Synchronization"
    [BTF]="Bytes Tables Synchronization"
    [BTFIDs]="Bytes Tables ELF BTF"
    [DWARFToBTF]="Bytes Tables HostIO ELF DWARF BTF BTFIDs Synchronization"
    [KernelTree]="Bytes HostIO ELF BTF CZlib CLzma CZstd CLz4 Glibc Synchronization"
    [BPFObject]="Bytes Tables ELF BTF"
    [Attaching]="Bytes ELF BTF BPFObject"
    [CEmit]="BTF"
    [Skeleton]="BPFObject CEmit"
    [BPFLoad]="Bytes HostIO ELF BTF BPFObject CBpf Glibc Synchronization"
    [VM]="Bytes HostIO ELF KernelTree Diagnosis Synchronization"
    [Report]="Bytes BTF"
    [Diagnosis]=""
    [Console]="Bytes HostIO KernelTree ArgumentParser Glibc Synchronization"
    [Commands]="Bytes HostIO ELF DWARF BTF DWARFToBTF BTFIDs KernelTree BPFObject Attaching CEmit Skeleton BPFLoad Report Diagnosis Console ArgumentParser Synchronization"
    [VMCommands]="Bytes HostIO KernelTree VM Console Commands ArgumentParser"
    [kbtf]="HostIO Console Commands Glibc"
    [kbtf-vm]="HostIO Console VMCommands Glibc"
)
# The rooms that read raw memory or call C.
unsafe=" Bytes Tables HostIO ELF DWARF BPFLoad KernelTree "
commands=" kbtf kbtf-vm "
# Where the process is seen: what it starts with, before Swift is set up, and what
# executables hand to the commands (Surroundings.process). No one else asks.
seams="Sources/HostIO/ProcessStart.swift Sources/Console/ThisProcess.swift"
world='(^[0-9]+:|[^.A-Za-z_0-9`])((print|debugPrint|exit|_exit|abort|getenv|secure_getenv|setenv|clock_gettime|gettimeofday|time)\(|(ProcessInfo|CommandLine|ContinuousClock|SuspendingClock|environ|FileHandle)\>|Date\(\)|isatty\(|RunningKernel\(\)|(ProcessStart|HeapTuning)\.|BufferedOutput\.standard|Surroundings\.process\>)|in: \.process\>'

failed=0
complain() {
    echo "$*" >&2
    failed=1
}

# The code of a file, as line:text, without comments of whole lines.
code() { grep -nvE '^[[:space:]]*//' "$1"; }

for folder in Sources/*/; do
    room=$(basename "$folder")
    # A system library is a module map and its header.
    if [ -e "$folder/module.modulemap" ]; then
        stray=$(find "$folder" -type f ! -name module.modulemap ! -name '*.h')
        [ -z "$stray" ] || complain "$stray: a system library holds module maps, nothing else"
        continue
    fi
    if [ -z "${imports[$room]+known}" ]; then
        complain "$folder: no such room in selftests/lint/rooms.sh"
        continue
    fi
    while IFS= read -r file; do
        while IFS=: read -r line module; do
            case " ${imports[$room]} " in
            *" $module "*) ;;
            *) complain "$file:$line: $room may not import $module" ;;
            esac
        done < <(code "$file" | sed -nE 's/^([0-9]+):[[:space:]]*(@[A-Za-z_]+(\([^)]*\))? +|(public|package|internal|fileprivate|private) +)*import +((struct|class|enum|protocol|typealias|func|var|let) +)?([A-Za-z_0-9]+).*/\1:\7/p')

        case $unsafe in
        *" $room "*) ;;
        *) while IFS=: read -r line _; do
            complain "$file:$line: $room may not contain unsafe"
        done < <(code "$file" | grep -E '(^[0-9]+:|[^.A-Za-z_0-9`"@])@?unsafe\b') ;;
        esac

        case "$commands $seams " in
        *" $room "* | *" $file "*) ;;
        *) while IFS=: read -r line text; do
            complain "$file:$line: a library leaves the user, the environment and the clock alone: $text"
        done < <(code "$file" | sed -E 's/\bfunc +[A-Za-z]+\(/(/' | grep -E "$world") ;;
        esac
    done < <(find "$folder" -name '*.swift' | sort)
done
exit "$failed"
