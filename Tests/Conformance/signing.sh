#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: what kernels say of the signed light skeletons of bpftool (signing/) when a module loads them, with the
# helpers that libbpf has for modules.
#
#   signing    7.2 refuses its loader, which asks for a hash that modules cannot have computed; 7.3 loads it, but verifies
#              nothing: both say that the signature is dropped

# signed_module SERIES LIBBPF BPFTOOL: signed.ko, of the kernel's generation.
signed_module() {
    local dir=$SIGNING/$1 root
    root=$(root_of "$1")/signing
    mkdir -p "$dir" "$root/bpf"
    "$3" gen skeleton -S -k "$SIGNING/key.pem" -i "$SIGNING/cert.pem" -L "$SIGNING/counter.o" name counter >"$root/counter.lskel.h"
    cp "$HERE"/signing/{signed.c,Kbuild} "$root/"
    cp "$CACHE/libbpf/$2/usr/include/bpf/skel_internal.h" "$root/bpf/"
    build "$1" make -s -C "$(seen "$1" "$(readlink -f "$(headers_of "$1")")")" M="$(seen "$1" "$root")" \
        CONFIG_DEBUG_INFO_BTF_MODULES= modules
    cp "$root/signed.ko" "$dir/"
    rm -rf "$root"
}

# signing SERIES LIBBPF BPFTOOL LINE...: each LINE is in the log of a guest that loads it.
signing() {
    local series=$1 dir=$SIGNING/$1 bad=0 line
    signed_module "$1" "$2" "$3" >"$dir.made" 2>&1 || { verdict "$series signed skeleton" 1 "$(tail -n 1 "$dir.made")"; return; }
    shift 3
    "$KBTF" vm run --kernel "$(kernel_of "$series")" --module "$dir/signed.ko" --log "$dir.log" >"$dir.ktap" 2>&1 || true
    for line; do grep -qF "$line" "$dir.log" || bad=1; done
    verdict "$series signed skeleton" "$bad" "$(printf '%s; ' "$@")"
}

run_signing() {
    local step
    for step in kbuild-inputs libraries-inputs guests-inputs; do
        bash "$HERE/$step.sh" >/dev/null || die "$step.sh failed"
    done
    SIGNING=$WORK/signing
    mkdir -p "$SIGNING"
    {
        "$KBTF" dump --format c "$(vmlinux_of 7.3)" >"$SIGNING/vmlinux.h" &&
            clang-16 -g -O2 -mcpu=v3 -target bpf -D__TARGET_ARCH_x86 -fms-extensions -Wno-microsoft-anon-tag -I"$SIGNING" \
                -I"$CACHE/libbpf/1.8/usr/include" -c "$HERE/signing/counter.bpf.c" -o "$SIGNING/counter.o" &&
            openssl req -new -x509 -newkey rsa:2048 -nodes -subj "/CN=test" -addext keyUsage=digitalSignature \
                -addext extendedKeyUsage=codeSigning -keyout "$SIGNING/key.pem" -out "$SIGNING/cert.pem"
    } >"$SIGNING.made" 2>&1 || { verdict "signed skeleton" 1 "$(tail -n 1 "$SIGNING.made")"; return; }
    signing 7.2 1.8 "$BPFTOOL" "signatures are not supported from bpf_preload" "signed.ko: cannot load: Invalid argument"
    signing 7.3 1.8-7.3 "$BPFTOOL-7.3" "signatures are not supported from bpf_preload" "signed skeleton: attached"
}
