// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes

/// A type name shared by several types of one kind.
package struct RepeatedName: Equatable, Sendable {
    package let kind: IDKind
    package let name: String
    /// The first one, which is used.
    package let used: TypeID
    package let other: TypeID
}

/// Looks up types by kind and name, the base's first: the first one found counts.
///
/// All names are searched in one pass over the types. A filter on the names' first bytes skips
/// nearly all of them: indexing a kernel's hundred thousand types would take far longer.
struct TypeLookup {
    private(set) var found: [TypeName: TypeID] = [:]
    private(set) var repeated: [RepeatedName] = []

    private var wanted: [ArraySlice<UInt8>: [IDKind]] = [:]
    private var filter = StartFilter()
    private var longest = 0
    /// Symbols of a kind minus names found. Once it is 0 nothing more is looked up, so duplicates
    /// are not noticed. The kernel's tool works like this, and builds may treat its warnings as
    /// errors.
    private var left: [IDKind: Int] = [:]

    init(_ entries: [IDSection.Entry], in btf: BTF) {
        if entries.isEmpty { return }
        for entry in entries {
            left[entry.kind, default: 0] += 1
            let name = entry.name.systemBytes[...]
            if wanted[name, default: []].contains(entry.kind) { continue }
            wanted[name, default: []].append(entry.kind)
            filter.add(name)
            longest = max(longest, name.count)
        }
        var chain = [btf]
        while let base = chain[chain.count - 1].base { chain.append(base) }
        for part in chain.reversed() { search(part) }
    }

    private mutating func search(_ btf: BTF) {
        for (number, start) in btf.starts.enumerated() {
            let start = Int(start)
            guard let kind = TypeInfo(rawValue: btf.words[start + 1]).kind.flatMap(IDKind.init)
            else { continue }
            let offset = btf.words[start]
            let own = Int(offset) - btf.stringBase
            if own >= 0 {
                guard filter.admits(btf.strings, own) else { continue }
            }
            guard let name = btf.stringBytes(at: offset, atMost: longest),
                wanted[name]?.contains(kind) == true, left[kind, default: 0] > 0
            else { continue }
            note(kind, String(systemBytes: name), TypeID(btf.firstID + UInt32(number)))
        }
    }

    private mutating func note(_ kind: IDKind, _ name: String, _ id: TypeID) {
        let key = TypeName(kind.kind, name)
        if let used = found[key] {
            repeated.append(RepeatedName(kind: kind, name: name, used: used, other: id))
        } else {
            found[key] = id
            left[kind, default: 0] -= 1
        }
    }
}

/// Rules out most strings by their first four bytes.
private struct StartFilter {
    private var bits = [UInt64](repeating: 0, count: 1 << 10)

    mutating func add(_ name: ArraySlice<UInt8>) {
        var key: UInt32 = 0
        for byte in name.prefix(4) { key = key << 8 | UInt32(byte) }
        let bit = Self.bit(key)
        bits[bit >> 6] |= 1 << UInt64(bit & 63)
    }

    /// False if no name equals the NUL-terminated string at `start`.
    func admits(_ strings: [UInt8], _ start: Int) -> Bool {
        var key: UInt32 = 0
        for at in start..<min(start + 4, strings.count) {
            let byte = strings[at]
            if byte == 0 { break }
            key = key << 8 | UInt32(byte)
        }
        let bit = Self.bit(key)
        return bits[bit >> 6] & 1 << UInt64(bit & 63) != 0
    }

    private static func bit(_ key: UInt32) -> Int { Int((key &* 0x9e37_79b1) >> 16) }
}

extension IDKind {
    init?(_ kind: Kind) {
        switch kind {
        case .struct: self = .struct
        case .union: self = .union
        case .typedef: self = .typedef
        case .func: self = .func
        default: return nil
        }
    }
}
