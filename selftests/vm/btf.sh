#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The guest tests on the kernel that `make setup` fetched: see docs/selftests.md. Prints TAP;
# in_guest.sh lists the environment variables.

set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
exec "$here/../in_guest.sh" stage.sh
