#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Checks that every file says its licence in its first lines. Data cannot: JSON,
# and what lies in a folder for data of tests. Patches add to files that say it.

set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit

failed=0
while IFS= read -r file; do
    case $file in
    LICENSE | *.json | .swift-format) continue ;;
    Tests/*/Corpus/* | Tests/Corpus/* | Tests/*/Goldens/* | Tests/*/Data/*) continue ;;
    kbuild/patches/*/*.patch) continue ;;
    # Their forms have no comments.
    debian/changelog | debian/copyright | debian/source/format) continue ;;
    *.btf | *.bin | *.o | *.ko | *.png | *.golden | *.csv) continue ;;
    esac
    if [ -f "$file" ] && ! head -n 5 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause'; then
        echo "$file: no SPDX line in its first five lines" >&2
        failed=1
    fi
done < <(git ls-files --cached --others --exclude-standard)
exit "$failed"
