#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Modules made of BPF objects come and go, fail, are asked for at mounts: nothing may be left
# behind. On the kernel that `make setup` fetched; CHECKS=modules of `make conformance` does more.
# Prints TAP; in_guest.sh lists the environment variables.

set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
FEW=yes ROUNDS=5 exec "$here/../in_guest.sh" rounds.sh
