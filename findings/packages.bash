# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Sourced by the findings: unpacks Debian packages of exact versions in a temporary directory that is removed at exit,
# and runs programs from there. Nothing is installed on the machine.
#
#   packages NAME=VERSION...   fetch and unpack
#   packages_of SUITE NAME=VERSION...
#                              of another suite of Debian, where the machine's apt finds Debian; MACHINE=ARCH for
#                              packages of another machine
#   pahole_of_sid ARGUMENT...  pahole 1.32
#   bpftool_of_trixie ARGUMENT...
#                              bpftool 7.5
#   configured_of_sid FLAVOUR[=ARCH] OPTION...
#                              which of these options the configuration of sid's 7.2.13 for a machine sets
#   BPF_TOOLS                  packages of a clang for BPF and of bpftool
#   from_packages COMMAND...   run a program of theirs, with their libraries
#   same WHAT EXPECTED GOT     compare; the finding fails when the behaviour has changed

set -euo pipefail
export LC_ALL=C

ROOT=$(mktemp -d)
trap 'rm -rf "$ROOT"' EXIT

# shellcheck disable=SC2034  # for those who source this
BPF_TOOLS=(
    clang-14=1:14.0.6-12 libclang-cpp14=1:14.0.6-12 libllvm14=1:14.0.6-12 libz3-4=4.8.12-3.1 libedit2=3.1-20221030-2
    libbsd0=0.11.7-2 libmd0=1.0.4-2 libffi8=3.4.4-1 bpftool=7.1.0+6.1.192-3 libelf1=0.188-2.1
    libcap2=1:2.66-4+deb12u3+b1 libxml2=2.9.14+dfsg-1.3~deb12u6 libicu72=72.1-3+deb12u1
    binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2
)

packages() {
    mkdir -p "$ROOT/debs"
    (cd "$ROOT/debs" && apt-get -qq -o APT::Sandbox::User=root download "$@")
    for deb in "$ROOT"/debs/*.deb; do dpkg -x "$deb" "$ROOT"; done
}

packages_of() {
    local suite=$1 uri dir=$ROOT/apt
    shift
    # shellcheck disable=SC2016  # the fields are apt's, not the shell's
    uri=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Identifier: Packages' | awk '$1 == "Debian" && !/security/ && !n++ { print $2 }')
    mkdir -p "$dir"/{lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d,etc/sources.list.d}
    : >"$dir/status"
    echo "deb [arch=${MACHINE:-amd64} signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$dir/etc/sources.list"
    cat >"$dir/apt.conf" <<CONF
APT::Architecture "${MACHINE:-amd64}";
APT::Architectures { "${MACHINE:-amd64}"; };
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Dir::Etc "$dir/etc";
Dir::State "$dir";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
CONF
    APT_CONFIG=$dir/apt.conf apt-get -qq update
    APT_CONFIG=$dir/apt.conf packages "$@"
}

# With the C library of their own release.
bpftool_of_trixie() {
    local trixie=$ROOT/trixie libraries=$ROOT/trixie/usr/lib/x86_64-linux-gnu
    [ -d "$trixie" ] ||
        ROOT=$trixie packages_of trixie bpftool=7.5.0+6.12.117-1 libc6=2.41-12+deb13u5 libelf1t64=0.192-4 \
            zlib1g=1:1.3.dfsg+really1.3.1-1+deb13u1 libcap2=1:2.75-10+deb13u1+b3 libzstd1=1.5.7+dfsg-1
    "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$trixie/usr/sbin/bpftool" "$@"
}

pahole_of_sid() {
    local sid=$ROOT/sid libraries=$ROOT/sid/usr/lib/x86_64-linux-gnu
    [ -d "$sid" ] ||
        ROOT=$sid packages_of sid pahole=1.32-1 libdwarves1=1.32-1 libbpf1=1:1.7.0-1 libdw1t64=0.196-1 libelf1t64=0.196-1 \
            libc6=2.43-7 zlib1g=1:1.3.dfsg+really1.3.2-4 libzstd1=1.5.7+dfsg-4 liblzma5=5.8.4-1 libbz2-1.0=1.0.8-6+b2
    "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$sid/usr/bin/pahole" "$@"
}

configured_of_sid() {
    local flavour=${1%=*} option found=''
    rm -rf "$ROOT/apt" "$ROOT/debs"
    MACHINE=${1#*=} packages_of sid "linux-headers-7.2.13+deb14-$flavour=7.2.13-1"
    for option in "${@:2}"; do
        ! grep -qx "CONFIG_$option=y" "$ROOT/usr/src/linux-headers-7.2.13+deb14-$flavour/include/config/auto.conf" || found+=" $option"
    done
    echo "${found# }"
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
