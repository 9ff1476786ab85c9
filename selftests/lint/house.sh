#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# house.sh            draws the order of rooms, from Package.swift and the imports
# house.sh --check    compares it with the picture in ARCHITECTURE.md

set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit

failed=0
complain() {
    echo "$*" >&2
    failed=1
}

# Libraries of the system are module maps, and no rooms.
rooms=()
for folder in Sources/*/; do
    [ -e "$folder/module.modulemap" ] || rooms+=("$(basename "$folder")")
done
is_room() { [[ " ${rooms[*]} " == *" $1 "* ]]; }

# What Package.swift says that a room depends on: ROOM NAME ...
declared() {
    tr '\n' ' ' <Package.swift | sed -E 's/\.product\([^)]*\)//g' |
        grep -oE '(room\( *|\.executableTarget\( *name: *)"[^"]+"(, *(dependencies: *)?\[[^]]*\])?' |
        sed -E 's/^[^"]*//; s/dependencies://; s/[][,"]/ /g'
}

imported() {
    find "Sources/$1" -name '*.swift' -exec sed -nE \
        's/^((@[A-Za-z_]+(\([^)]*\))? +)?((public|package|internal|fileprivate|private) +)?)import +((struct|class|enum|protocol|typealias|func|var|let) +)?([A-Za-z_0-9]+).*/\8/p' {} + |
        sort -u
}

declare -A below height
while read -r room names; do
    is_room "$room" || continue
    known=
    for name in $names; do is_room "$name" && known+=" $name"; done
    below[$room]=$known
done < <(declared)

for room in "${rooms[@]}"; do
    if [ -z "${below[$room]+known}" ]; then
        complain "Package.swift: $room is no target"
        continue
    fi
    used=" $(imported "$room" | tr '\n' ' ')"
    for name in ${below[$room]}; do
        [[ $used == *" $name "* ]] || complain "Package.swift: $room depends on $name and does not import it"
    done
done

# A room is one higher than the highest that it imports.
changed=1
while [ "$changed" = 1 ]; do
    changed=0
    for room in "${rooms[@]}"; do
        top=0
        for name in ${below[$room]-}; do
            [ "${height[$name]-0}" -lt "$top" ] || top=$((${height[$name]-0} + 1))
        done
        [ "${height[$room]-0}" = "$top" ] || { height[$room]=$top changed=1; }
        [ "$top" -le ${#rooms[@]} ] || { complain "Package.swift: $room depends on itself"; exit 1; }
    done
done

# The highest first, those of one height by name.
ordered=$(for room in "${rooms[@]}"; do echo "$((99 - ${height[$room]-0})) $room"; done | LC_ALL=C sort)

picture() {
    local last= rank room other line
    while read -r rank room; do
        [ -z "$last" ] || [ "$last" = "$rank" ] || echo
        last=$rank
        line=
        while read -r _ other; do
            [[ " ${below[$room]-} " != *" $other "* ]] || line+=" $other"
        done <<<"$ordered"
        echo "$room${line:+ ->$line}"
    done <<<"$ordered" | fold_lines
}

# Columns, and lines of at most 100 characters.
fold_lines() {
    awk '{
        line = NF > 1 ? sprintf("%-12s->", $1) : $1
        for (i = 3; i <= NF; i++) {
            if (length(line) + 1 + length($i) > 100) { print line; line = sprintf("%-14s", "") }
            line = line " " $i
        }
        print line
    }'
}

if [ "${1-}" != --check ]; then
    picture
    exit "$failed"
fi
drawn=$(awk '/^<!-- house -->$/ { inside = 1; next } inside && /^```$/ { if (seen++) exit; next } inside && seen' ARCHITECTURE.md)
[ "$drawn" = "$(picture)" ] ||
    complain "ARCHITECTURE.md: the picture of the rooms is not what selftests/lint/house.sh draws"
exit "$failed"
