#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# pahole 1.24 with libdw 0.188 (Debian 12) on debug information that binutils 2.40 of the same Debian has compressed.
#
# Kernels can ask for that with DEBUG_INFO_COMPRESSED_ZLIB or _ZSTD. libdw 0.188 inflates zlib, but not zstd, which came
# with elfutils 0.189; binutils 2.40 and clang 16 already write it.
#   without debug information: an error, exit status 1;
#   zlib: BTF;
#   zstd: no BTF, no word, exit status 0. Printing its types says nothing, and succeeds, too.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages pahole=1.24-4.1 libdw1=0.188-2.1 libelf1=0.188-2.1 libbpf1=1:1.1.2-0+deb12u1 \
    gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libisl23=0.25-1.1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1
cd "$ROOT"
gcc() { from_packages "$ROOT/usr/bin/gcc-12" -B"$ROOT/usr/bin/x86_64-linux-gnu-" "$@"; }

# encode OBJECT: exit status, whether a word was said, and the functions in the BTF.
encode() {
    local status=0 said functions
    said=$(from_packages pahole -J "$1" 2>&1) || status=$?
    functions=$(from_packages pfunct -F btf "$1" 2>/dev/null | tr '\n' ' ' || true)
    echo "status $status, $([ -n "$said" ] && echo 'with an error' || echo silent), functions: ${functions:-none}"
}

echo 'struct s { struct s *next; int a[60]; }; int f(struct s *s) { return s->next->a[1]; }' >f.c
gcc -O1 -c f.c -o bare.o
gcc -O1 -g -c f.c -o plain.o
for form in zlib zstd; do
    from_packages x86_64-linux-gnu-objcopy --compress-debug-sections=$form plain.o $form.o
    same "$form is used" 1 "$(from_packages x86_64-linux-gnu-readelf --sections --section-details --wide $form.o |
        grep -A 2 ' \.debug_info$' | grep -c 'COMPRESSED')"
done
same 'types of the zstd object' 'status 0, 0 lines' \
    "$(status=0; said=$(from_packages pahole zstd.o 2>&1) || status=$?; echo "status $status, $(printf '%s' "$said" | grep -c .) lines")"
same 'no debug information' 'status 1, with an error, functions: none' "$(encode bare.o)"
same 'zlib' 'status 0, silent, functions: f ' "$(encode zlib.o)"
same 'zstd' 'status 0, silent, functions: none' "$(encode zstd.o)"
