#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: five modules against six kernels of Debian, by one command: `kbtf matrix --prove-all`. In all thirty
# cells the kernel has to answer as predicted. The modules are built for the kernel of `make setup`:
#
#   kbtf_kfunc    registers a kernel function
#   kbtf_percpu   has per-CPU data
#   kbtf_moved    has standalone BTF: only rebase makes it load with BTF
#   kbtf_alien    has the vermagic of a kernel that nobody has
#   kbtf_signed   is signed
#
# The kernels are packages, kept in $CACHE/matrix. The table is left in $WORK/matrix/table.md; the README shows it.

# unsigned_images PATTERN: releases of which there is a package, newest first.
unsigned_images() {
    apt-cache search --names-only "^linux-image-$1-cloud-amd64-unsigned\$" |
        sed -n 's/^linux-image-\(.*\)-unsigned - .*/\1/p' | sort -rV
}

# matrix_fetch NAME PACKAGE...: into $CACHE/matrix/NAME.
matrix_fetch() {
    local dir=$CACHE/matrix/$1 tmp package
    shift
    [ ! -d "$dir" ] || return 0
    tmp=$(fresh "$dir")
    for package; do download "$package" "$tmp"; done
    mv "$tmp" "$dir"
}

# Two of 6.1, of which one is that of the headers; two of 6.12; 7.2 and 7.3, whose modules are packages of their own.
matrix_kernels() {
    local release old
    matrix_fetch 6.1 "linux-image-$RELEASE-unsigned"
    old=$(unsigned_images '6\.1\..*' | grep -vxF "$RELEASE" | sed -n 3p)
    matrix_fetch 6.1-older "linux-image-$old-unsigned"
    for release in 1 2; do
        matrix_fetch "6.12-$release" "linux-image-$(unsigned_images '6\.12\..*' | sed -n "${release}p")-unsigned"
    done
    echo "$(debian_uri) sid" | private_apt sid amd64
    (
        export APT_CONFIG=$CACHE/apt-sid/apt.conf
        release=$(apt-cache search --names-only '^linux-modules-7\.2\..*-cloud-amd64$' | sed 's/^linux-modules-\([^ ]*\) .*/\1/' | sort -V | tail -n 1)
        matrix_fetch 7.2 "linux-binary-unsigned-$release" "linux-modules-$release"
    )
    (
        APT_CONFIG=$(later_apt)
        export APT_CONFIG
        release=$(apt-cache search --names-only '^linux-modules-7\.3[^-]*-cloud-amd64$' | sed 's/^linux-modules-\([^ ]*\) .*/\1/' | sort -V | tail -n 1)
        matrix_fetch 7.3 "linux-binary-unsigned-$release" "linux-modules-$release"
    )
}

# matrix_module NAME SOURCE: built without BTF.
matrix_module() {
    local dir=$MATRIX/build-$1
    mkdir -p "$dir"
    cp "$HERE/matrix/$2.c" "$dir/$1.c"
    echo "obj-m := $1.o" >"$dir/Makefile"
    make -s -C "/lib/modules/$RELEASE/build" M="$dir" modules && cp "$dir/$1.ko" "$MATRIX/$1.ko" && rm -r "$dir"
}

matrix_modules() {
    local name base=$CACHE/images/$RELEASE/boot/vmlinuz-$RELEASE
    for name in kbtf_kfunc kbtf_percpu; do matrix_module "$name" "$name" || return; done
    for name in kbtf_moved kbtf_alien kbtf_signed; do matrix_module "$name" plain || return; done
    "$KBTF" encode -q --base "$base" "$MATRIX"/kbtf_{kfunc,percpu,alien,signed}.ko &&
        "$KBTF" encode -q --standalone "$MATRIX/kbtf_moved.ko" &&
        strip --strip-debug --keep-section=.BTF "$MATRIX"/*.ko &&
        sed -i 's/\(vermagic=[^ ]* SMP preempt\) mod_unload /\1_mod_unload /' "$MATRIX/kbtf_alien.ko" &&
        openssl req -new -x509 -newkey rsa:2048 -nodes -subj "/CN=kbtf" -keyout "$MATRIX/key.pem" -out "$MATRIX/key.x509" &&
        "/lib/modules/$RELEASE/build/scripts/sign-file" sha256 "$MATRIX/key.pem" "$MATRIX/key.x509" "$MATRIX/kbtf_signed.ko"
}

# holds WORDS FILTER: a check of the report.
holds() {
    local bad=0
    jq -e "$2" "$MATRIX/report.json" >/dev/null || bad=1
    verdict "matrix: $1" "$bad" ""
}

matrix_table() {
    jq -r '
        def answer: if . == null then "?" elif .verdict == "loads" then "loads"
            else .verdict + (if .cause then ": " + .cause else "" end) end;
        .kernels as $kernels | .cells as $cells
        | "| | " + ($kernels | join(" | ")) + " |", "|---|" + ($kernels | map("---|") | join("")),
        ($cells | map(.module) | reduce .[] as $m ([]; if index($m) then . else . + [$m] end) | .[] as $file
         | "| `" + ($file | split("/") | last) + "` | " + ($kernels | map(. as $kernel
            | $cells | map(select(.module == $file and .kernel == $kernel)) | first
            | (.answer | answer) + (if .rebased_answer then "; rebased: " + (.rebased_answer | answer) else "" end))
            | join(" | ")) + " |")' "$MATRIX/report.json" >"$MATRIX/table.md"
}

run_matrix() {
    local kernels=() dir status=0
    RELEASE=$("$REPO/selftests/setup.sh" --release)
    MATRIX=$WORK/matrix
    mkdir -p "$MATRIX" "$CACHE/matrix"
    { matrix_kernels && matrix_modules; } >"$MATRIX/made" 2>&1 || { verdict "matrix" 1 "$(tail -n 1 "$MATRIX/made")"; return; }
    for dir in 6.1-older 6.1 6.12-2 6.12-1 7.2 7.3; do kernels+=(--kernel "$CACHE/matrix/$dir"); done
    # Not all load, so the status is 1.
    "$KBTF" matrix --json --prove-all "${kernels[@]}" "$MATRIX"/kbtf_{kfunc,percpu,moved,alien,signed}.ko \
        >"$MATRIX/report.json" 2>"$MATRIX/messages" || status=$?
    [ "$status" = 1 ] || { verdict "matrix" 1 "status $status: $(tail -n 1 "$MATRIX/messages")"; return; }
    matrix_table
    holds "thirty cells" '.cells | length == 30'
    holds "kernels answer as predicted" '.disagreements == 0 and .unproved == 0'
    holds "a kernel takes each that any can" \
        '[.cells[] | select(.answer.verdict == "loads") | .module | split("/") | last] | unique == ["kbtf_kfunc.ko", "kbtf_percpu.ko", "kbtf_signed.ko"]'
    holds "rebase saves one" \
        '[.cells[] | select(.module | endswith("kbtf_moved.ko"))] | all(.answer.verdict != "loads") and any(.rebased_answer.verdict == "loads")'
    holds "nobody takes one" '[.cells[] | select(.module | endswith("kbtf_alien.ko"))] | all(.answer.verdict == "refused")'
}
