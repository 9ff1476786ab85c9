// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// Text in columns, each as wide as its content; the last one has no padding.
package struct Table {
    private var rows: [[String]]

    package init(headings: [String]) { rows = [headings] }

    package mutating func add(_ cells: [String]) { rows.append(cells.map(\.shown)) }

    /// Without rows there are no headings either.
    package var text: String {
        if rows.count == 1 { return "" }
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1
                    ? cell + "\n"
                    : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }.joined()
        }.joined()
    }
}
