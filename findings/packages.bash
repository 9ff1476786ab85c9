# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Sourced by the findings: unpacks Debian packages of exact versions in a temporary directory that is removed at exit,
# and runs programs from there. Nothing is installed on the machine.
#
#   packages NAME=VERSION...   fetch and unpack
#   from_packages COMMAND...   run a program of theirs, with their libraries
#   same WHAT EXPECTED GOT     compare; the finding fails when the behaviour has changed

set -euo pipefail
export LC_ALL=C

ROOT=$(mktemp -d)
trap 'rm -rf "$ROOT"' EXIT

packages() {
    mkdir -p "$ROOT/debs"
    (cd "$ROOT/debs" && apt-get -qq -o APT::Sandbox::User=root download "$@")
    for deb in "$ROOT"/debs/*.deb; do dpkg -x "$deb" "$ROOT"; done
}

from_packages() {
    local libraries=$ROOT/usr/lib/x86_64-linux-gnu:$ROOT/lib/x86_64-linux-gnu
    PATH=$ROOT/usr/bin:$ROOT/usr/sbin:$PATH LD_LIBRARY_PATH=$libraries "$@"
}

same() {
    if [ "$2" = "$3" ]; then
        echo "as found: $1: $3"
    else
        printf 'CHANGED: %s\n  found:    %s\n  now:      %s\n' "$1" "$2" "$3" >&2
        exit 1
    fi
}
