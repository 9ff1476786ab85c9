// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Where a symbol is defined.
package enum ELFSymbolPlace: Sendable, Equatable {
    case undefined
    case absolute
    case common
    /// Index into `ELFFile.sections`, as in the file: it may not exist.
    case section(Int)
    /// An index reserved for processors and operating systems.
    case reserved(UInt16)
}

/// One entry of `.symtab`. Its name is in `ELFFile.symbolStrings()`, see also `ELFFile.name(of:)`.
package struct ELFSymbol: Sendable, Equatable {
    package let value: UInt64
    package let size: UInt64
    package let place: ELFSymbolPlace
    package let nameOffset: UInt32
    /// See `ELFSymbolCode`.
    package let type: UInt8
    package let binding: UInt8
    package let visibility: UInt8

    /// The section it is defined in; nil for undefined, absolute and common symbols.
    package var sectionIndex: Int? {
        if case .section(let index) = place { index } else { nil }
    }
}

extension ELFSymbol {
    /// The name's bytes in `ELFFile.symbolStrings()`; nil for none, and for one that is not
    /// terminated.
    package func name(in strings: ByteView) -> ByteView? {
        var cursor = strings.cursor()
        do throws(ByteError) {
            try cursor.seek(to: Int(nameOffset))
            let length = try cursor.skipCString()
            return length == 0 ? nil : strings.slice(Int(nameOffset), length)
        } catch {
            return nil
        }
    }
}
