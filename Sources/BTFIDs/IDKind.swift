// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes

/// What sort of type an id is wanted of. BPF code looks up nothing else by `.BTF_ids`.
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

/// What the name of a symbol in `.BTF_ids` says (include/linux/btf_ids.h):
///
///     __BTF_ID__<kind>__<name>__<number>     a word for the id of that type
///     __BTF_ID__set__<set>                   { count, id ... }
///     __BTF_ID__set8__<set>                  { count, flags, { id, flags } ... }
enum IDSymbolName: Equatable {
    case id(IDKind, name: String)
    case set(name: String, hasFlags: Bool)
    /// Starts as the others do, and goes on in no known way.
    case unknownKind
    case malformed

    static let prefix: StaticString = "__BTF_ID__"

    /// nil when the symbol has nothing to do with ids.
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

    /// The text from `start` on, less the `__` and what follows the last underscore: the name itself may
    /// hold or end in any number of them.
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
