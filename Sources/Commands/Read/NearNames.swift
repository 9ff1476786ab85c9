// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// At most five names that a mistyped one may mean, the nearest first; none for one or two letters.
func nearNames(_ name: String, among names: some Sequence<String>) -> [String] {
    let wanted = Array(name.utf8.prefix(64))
    guard wanted.count > 2 else { return [] }
    let limit = max(2, wanted.count / 4)
    let found = names.compactMap { other -> (distance: Int, name: String)? in
        let bytes = Array(other.utf8.prefix(80))
        guard abs(bytes.count - wanted.count) <= limit else { return nil }
        let distance = editDistance(wanted, bytes)
        return distance <= limit ? (distance, other) : nil
    }
    return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(5).map(\.name)
}

/// Insertions, removals and replacements of bytes between two names.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (index, byte) in a.enumerated() {
        var corner = row[0]
        row[0] = index + 1
        for column in b.indices {
            let above = row[column + 1]
            row[column + 1] = min(
                above + 1, row[column] + 1, corner + (byte == b[column] ? 0 : 1))
            corner = above
        }
    }
    return row[b.count]
}
