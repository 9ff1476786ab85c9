#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bpftool 7.1 with libbpf 1.1 (Debian 12's 6.1.192) links BPF objects in two steps, where one object declares a map of
# the other: `extern struct { ... } shared SEC(".maps");`.
#
# Linking both at once works. Linking the first object alone exits 0, but the undefined symbol of the map then is in
# .maps at offset 0, with size 0: what the object only declared is marked as defined, where its own map lies. Adding the
# second object to that output fails with "conflicting non-weak symbol", although each map is defined once. So the output
# of `gen object` cannot be the input of another `gen object` if it has extern maps.

# shellcheck source-path=SCRIPTDIR source=packages.bash
source "$(dirname "${BASH_SOURCE[0]}")/packages.bash"

packages "${BPF_TOOLS[@]}"
cd "$ROOT"

cat >common.h <<'C'
#define SEC(name) __attribute__((section(name), used))
#define MAP(name) struct { int (*type)[2]; int *key; long *value; int (*max_entries)[4]; } name SEC(".maps")
C
cat >user.c <<'C'
#include "common.h"
MAP(own);
extern MAP(shared);
static void *(*lookup)(void *map, const void *key) = (void *)1;
char terms[] SEC("license") = "GPL";
SEC("xdp") int program(void *context) { int key = 0; return lookup(&shared, &key) ? 1 : 2; }
C
cat >owner.c <<'C'
#include "common.h"
MAP(shared);
C
for name in user owner; do
    from_packages "$ROOT/usr/bin/clang-14" -g -O2 -target bpf -w -c "$name.c" -o "$name.o"
done

# link OUTPUT INPUT...: exit status, and libbpf's words without the numbers of symbols.
link() {
    local status=0 said
    said=$(from_packages "$ROOT/usr/sbin/bpftool" gen object "$@" 2>&1) || status=$?
    echo "status $status${said:+, $(sed -n 's/^libbpf: \(.*\) #[0-9]* \(.*\)/\1 \2/p' <<<"$said")}"
}
# symbol OBJECT: section, offset and size of the shared map's symbol.
symbol() {
    from_packages x86_64-linux-gnu-readelf -sW "$1" 2>/dev/null |
        awk '$8 == "shared" { print ($7 == "UND" ? "undefined" : "defined") ", offset " $2 + 0 ", size " $3 }'
}

same 'as compiled' 'undefined, offset 0, size 0' "$(symbol user.o)"
same 'at once' 'status 0' "$(link once.o user.o owner.o)"
same 'alone' 'status 0' "$(link alone.o user.o)"
same 'after linking alone' 'defined, offset 0, size 0' "$(symbol alone.o)"
same 'in two steps' "status 234, conflicting non-weak symbol (shared) definition in 'owner.o'" "$(link twice.o alone.o owner.o)"
