// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
package import ELF

/// What a module says about itself: the section `.modinfo`, strings of the form `key=value`, each
/// terminated by NUL.
package struct Modinfo: Sendable {
    package let entries: [(key: String, value: String)]

    package init(_ data: ByteView) {
        entries = data.array.split(separator: 0).compactMap { entry in
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            return (
                String(decoding: entry[..<equals], as: UTF8.self),
                String(decoding: entry[(equals + 1)...], as: UTF8.self)
            )
        }
    }

    /// nil for a file that is not a module.
    package init?(_ file: ELFFile) {
        guard file.type == ELFType.relocatable, let section = file.section(named: ".modinfo"),
            let data = try? file.rawData(of: section)
        else { return nil }
        self.init(data)
    }

    /// The first value of `key`; nil if there is none.
    package subscript(_ key: String) -> String? { entries.first { $0.key == key }?.value }

    /// All values of `key`.
    package func all(_ key: String) -> [String] {
        entries.lazy.filter { $0.key == key }.map(\.value)
    }
}
