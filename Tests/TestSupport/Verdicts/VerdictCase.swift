// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes

/// BTF that kernels have answered to, or will.
package struct VerdictCase: Sendable {
    package enum Way: UInt8, Sendable {
        /// BPF_BTF_LOAD.
        case program
        /// `.BTF` of a module, perhaps with `.BTF.base`.
        case module
    }

    package let way: Way
    package let btf: [UInt8]
    package let base: [UInt8]?

    package init(way: Way, btf: [UInt8], base: [UInt8]?) {
        self.way = way
        self.btf = btf
        self.base = base
    }
}

/// What cases need to know of a kernel: where the ids and strings of its modules begin, and some of
/// its types.
package struct VerdictGround: Sendable {
    /// A type of the kernel, whole.
    package struct Known: Sendable {
        package let id: UInt32
        package let words: [UInt32]
        package let name: String
    }

    package let firstID: UInt32
    package let stringBase: UInt32
    package let known: [Known]

    package init(firstID: UInt32, stringBase: UInt32, known: [Known]) {
        self.firstID = firstID
        self.stringBase = stringBase
        self.known = known
    }

    /// Names of kernel types that distilled bases of cases have.
    package static let names = [
        "int", "char", "long unsigned int", "_Bool", "list_head", "task_struct", "mm_struct",
        "file", "inode", "page", "pid_type", "zone_type", "sk_buff", "hlist_node", "completion",
        "lock_class_key", "cgroup", "bpf_cpumask",
    ]

    /// - Parameter kernel: its BTF.
    package init(_ kernel: BTF) {
        firstID = kernel.typeCount
        stringBase = UInt32(kernel.strings.count)
        var known: [Known] = []
        let wanted = Set(Self.names)
        for record in kernel.ownRecords {
            let kind = record.kind
            guard
                kind.isComposite || kind == .int || kind == .fwd || kind == .enum || kind == .enum64
            else { continue }
            let name = kernel.string(at: record.nameOffset)
            guard wanted.contains(name) else { continue }
            known.append(
                Known(
                    id: record.id.rawValue,
                    words: [record.info.rawValue] + record.words.dropFirst(2).prefix(2),
                    name: name))
        }
        self.known = known
    }

    /// BTF that stands for the kernel's: as many types and strings, and the known ones.
    package func kernel() throws -> BTF {
        var strings = [UInt8](repeating: 0, count: Int(stringBase))
        var words: [UInt32] = []
        var at = 1
        var names: [String: UInt32] = [:]
        for name in Self.names {
            names[name] = UInt32(at)
            for byte in name.utf8 {
                strings[at] = byte
                at += 1
            }
            at += 1
        }
        let filler = UInt32(at)
        strings[at] = 0x69
        let byID = Dictionary(known.map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
        for id in 1..<firstID {
            guard let type = byID[id] else {
                words += [filler, 1 << 24, 4, 32]
                continue
            }
            let info = type.words[0] & 0xff00_0000
            words += [names[type.name] ?? filler, info, type.words[1]]
            if info >> 24 & 0x7f == 1 { words.append(type.words[2]) }
        }
        var writer = ByteWriter(bigEndian: false)
        writer.put(Header.magic)
        writer.put(UInt8(1))
        writer.put(UInt8(0))
        let length = UInt32(words.count * 4)
        for field in [24, 0, length, length, stringBase] as [UInt32] { writer.put(field) }
        var bytes = writer.bytes
        append(words, to: &bytes, bigEndian: false)
        bytes += strings
        return try BTF.parse(ByteView(bytes))
    }
}

/// Random numbers that do not depend on the standard library's ways of using them.
struct VerdictRandom {
    private var source: SeededRandom

    init(_ seed: UInt64) { source = SeededRandom(seed: seed) }

    /// Below `limit`, which is at least 1.
    mutating func below(_ limit: Int) -> Int { Int(source.next() >> 11) % limit }
    mutating func chance(_ one: Int, in many: Int) -> Bool { below(many) < one }
    mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: source.next()) }
    mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
}
