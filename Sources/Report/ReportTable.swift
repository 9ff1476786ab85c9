// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A table of a report, before it is known whether it becomes text or HTML.
package struct ReportTable: Sendable {
    package enum Cell: Equatable, Sendable {
        case text(String)
        case number(Int)
        /// With its sign.
        case change(Int)
        /// A part of a whole, in tenths of a percent.
        case share(Int)
        /// No value.
        case nothing

        /// - Parameter whole: 0 where there is nothing to have a share of.
        package static func share(_ part: Int, of whole: Int) -> Cell {
            // Far beyond the size of any file.
            guard whole > 0, part >= 0, part < 1 << 50 else { return .nothing }
            return .share((part * 2000 / whole + 1) / 2)
        }

        /// As text for a terminal.
        package var plain: String {
            switch self {
            case .text(let text): text
            case .number(let number): String(number)
            case .change(let change): change > 0 ? "+\(change)" : String(change)
            case .share(let tenths): "\(tenths / 10).\(tenths % 10) %"
            case .nothing: "-"
            }
        }

        /// As text for a page, with groups of digits.
        package var grouped: String {
            switch self {
            case .number(let number): Cell.grouped(number)
            case .change(let change): (change > 0 ? "+" : "") + Cell.grouped(change)
            default: plain
            }
        }

        package var isNumber: Bool { if case .text = self { false } else { true } }

        private static func grouped(_ number: Int) -> String {
            let digits = Array(String(number.magnitude))
            var text = number < 0 ? "-" : ""
            for (index, digit) in digits.enumerated() {
                if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
                text.append(digit)
            }
            return text
        }
    }

    /// What the rows are, such as `Largest types`.
    package let title: String
    /// Names of the columns, in lower case.
    package let headings: [String]
    package var rows: [[Cell]] = []
    /// What has to be said about it; empty for nothing.
    package var note = ""

    package init(_ title: String, _ headings: [String]) {
        self.title = title
        self.headings = headings
    }
}
