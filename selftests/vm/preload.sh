#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Modules made of BPF objects, on the kernel that `make setup` fetched: see docs/preload.md.
# CHECKS=preload of `make conformance` does more. Prints TAP; in_guest.sh lists the environment
# variables.

set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
FEW=yes exec "$here/../in_guest.sh" preload.sh
