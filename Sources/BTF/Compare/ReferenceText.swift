// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension BTF {
    /// How a type refers to another one, as a line: `member f_inode: struct inode *`. nil where it
    /// only wraps it (pointers, qualifiers, arrays), because the texts of types show that.
    ///
    /// - Parameter texts: those of this BTF.
    package func referenceText(
        from: TypeID, to: TypeID, _ texts: TypeTexts
    ) -> String? {
        guard let record = record(from) else { return nil }
        func element(_ word: String) -> String? {
            guard
                let index = (0..<record.count).first(where: {
                    record.element($0, 1) == to.rawValue
                })
            else { return nil }
            let name = shortName(at: record.element(index, 0))
            return "\(word) \(name.isEmpty ? "\(index + 1)" : name): \(texts.text(to))"
        }
        switch record.kind.role {
        case .composite: return element("member")
        case .prototype:
            return record.type == to ? "returns \(texts.text(to))" : element("parameter")
        case .alias: return "typedef \(shortName(at: record.nameOffset)): \(texts.text(to))"
        case .variable, .section, .locationSection, .declarationTag: return texts.text(to)
        case .integer, .float, .pointer, .array, .enumeration, .forward, .qualifier, .typeTag,
            .function, .location, .locationPrototype, .unknown:
            return nil
        }
    }

    /// The name at `offset`, or as much of it as a kernel would take at most.
    package func shortName(at offset: UInt32) -> String {
        if let bytes = stringBytes(at: offset, atMost: Self.longestShown) {
            return String(systemBytes: bytes)
        }
        // Damaged, or too long to be a name.
        return "…"
    }

    private static let longestShown = 511
}
