// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes

/// The kind of type requested for an id. BPF code looks up no others through `.BTF_ids`.
package enum IDKind: String, CaseIterable, Sendable {
    case `struct`, union, typedef, `func`

    package var kind: Kind {
        switch self {
        case .struct: .struct
        case .union: .union
        case .typedef: .typedef
        case .func: .func
        }
    }
}

/// The parts of a symbol's name in `.BTF_ids` (include/linux/btf_ids.h):
///
///     __BTF_ID__<kind>__<name>__<number>     a word for the id of that type
///     __BTF_ID__set__<set>                   { count, id ... }
///     __BTF_ID__set8__<set>                  { count, flags, { id, flags } ... }
enum IDSymbolName: Equatable {
    case id(IDKind, name: String)
    case set(name: String, hasFlags: Bool)
    /// Starts like the others, but continues in an unknown way.
    case unknownKind
    case malformed

    static let prefix: StaticString = "__BTF_ID__"

    /// nil if the symbol has nothing to do with ids.
    init?(_ symbol: ByteView) {
        guard symbol.hasBytes(Self.prefix) else { return nil }
        let start = Self.prefix.utf8CodeUnitCount
        for (word, kind) in Self.kinds where symbol.hasBytes(word, at: start) {
            self =
                Self.typeName(symbol, from: start + word.utf8CodeUnitCount)
                .map { .id(kind, name: $0) } ?? .malformed
            return
        }
        for (word, hasFlags) in Self.sets where symbol.hasBytes(word, at: start) {
            let from = start + word.utf8CodeUnitCount
            self =
                Self.text(symbol, from, symbol.count)
                .map { .set(name: $0, hasFlags: hasFlags) } ?? .malformed
            return
        }
        self = .unknownKind
    }

    private static let kinds: [(StaticString, IDKind)] = [
        ("struct__", .struct), ("union__", .union), ("typedef__", .typedef), ("func__", .func),
    ]
    private static let sets: [(StaticString, Bool)] = [("set8__", true), ("set__", false)]

    /// The text from `start` on, without the `__` and the text after the last underscore: the name
    /// itself may contain or end in any number of them.
    private static func typeName(_ symbol: ByteView, from start: Int) -> String? {
        var last = symbol.count - 1
        while last > start, symbol[last] != UInt8(ascii: "_") { last -= 1 }
        guard last > start, symbol[last - 1] == UInt8(ascii: "_") else { return nil }
        return text(symbol, start, last - 1)
    }

    private static func text(_ symbol: ByteView, _ start: Int, _ end: Int) -> String? {
        guard start < end, let part = symbol.slice(start, end - start) else { return nil }
        return String(systemBytes: part.array)
    }
}
