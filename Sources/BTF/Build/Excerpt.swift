// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Some types of several BTFs, and of their structs some members, as one BTF of its own. References
/// to types that are not in it become void.
package struct Excerpt: Sendable {
    private let sources: [BTF]
    /// Which types are in it, by source and id.
    private var types: [[Bool]]
    /// Members that are in it, by source and struct.
    private var members: [[UInt32: Set<Int>]]

    /// - Parameter sources: the first may be the base of others.
    package init(_ sources: [BTF]) {
        self.sources = sources
        types = sources.map { Array(repeating: false, count: Int($0.typeCount)) }
        members = Array(repeating: [:], count: sources.count)
    }

    /// Adds a type that exists, of those that the source has itself. A struct comes without
    /// members.
    package mutating func insert(_ type: TypeID, in source: Int) {
        types[source][Int(type.rawValue)] = true
    }

    /// Adds a member of a struct.
    package mutating func insert(member: Int, of type: TypeID, in source: Int) {
        insert(type, in: source)
        members[source][type.rawValue, default: []].insert(member)
    }

    package var typeCount: Int { types.reduce(0) { $0 + $1.lazy.count { $0 } } }

    /// The BTF, in the byte order of the first source. Types and members keep their order; those of
    /// the first source come first.
    package func serialized() -> [UInt8] {
        var newIDs = types.map { Array(repeating: UInt32(0), count: $0.count) }
        var next: UInt32 = 1
        for source in types.indices {
            for id in types[source].indices where types[source][id] {
                newIDs[source][id] = next
                next += 1
            }
        }
        var writer = ExcerptWriter()
        for source in types.indices {
            let btf = sources[source]
            func new(_ id: UInt32) -> UInt32 {
                let owner = btf.isSplit && id < btf.firstID ? 0 : source
                return Int(id) < newIDs[owner].count ? newIDs[owner][Int(id)] : 0
            }
            for id in types[source].indices where types[source][id] {
                guard let record = btf.record(TypeID(UInt32(id))) else { continue }
                if record.kind.isComposite {
                    writer.add(record, members[source][UInt32(id)] ?? [], new)
                } else {
                    writer.add(record, new)
                }
            }
        }
        return BTF.serialized(
            words: writer.words, strings: writer.names.bytes,
            bigEndian: sources.first?.bigEndian ?? false)
    }
}

private struct ExcerptWriter {
    private(set) var words: [UInt32] = []
    private(set) var names = ExcerptNames()

    mutating func add(_ record: Record, _ new: (UInt32) -> UInt32) {
        let start = words.count
        words.append(contentsOf: record.words)
        record.info.forEachReference { words[start + $0] = new(words[start + $0]) }
        record.info.forEachName { position in
            words[start + position] = names.offset(of: words[start + position], in: record.btf)
        }
    }

    /// Adds a struct with these members. It has the kind flag only if one of them is a bitfield.
    mutating func add(_ record: Record, _ members: Set<Int>, _ new: (UInt32) -> UInt32) {
        let places = (0..<record.count).filter { members.contains($0) }
        let hasBitfields = places.contains { index in
            record.flag && record.element(index, 2) >> 24 != 0
                || record.element(index, 2) & 7 != 0
        }
        words.append(names.offset(of: record.nameOffset, in: record.btf))
        words.append(TypeInfo(record.kind, vlen: places.count, flag: hasBitfields).rawValue)
        words.append(record.size)
        for index in places {
            words.append(names.offset(of: record.element(index, 0), in: record.btf))
            words.append(new(record.element(index, 1)))
            words.append(record.element(index, 2))
        }
    }
}

/// Names in order of first use, each once.
private struct ExcerptNames {
    private(set) var bytes: [UInt8] = [0]
    private var offsets: [ArraySlice<UInt8>: UInt32] = [:]

    mutating func offset(of name: UInt32, in btf: BTF) -> UInt32 {
        // Kernels accept no longer ones.
        guard let name = btf.stringBytes(at: name, atMost: 4096), !name.isEmpty else { return 0 }
        if let offset = offsets[name] { return offset }
        let offset = UInt32(bytes.count)
        bytes.append(contentsOf: name)
        bytes.append(0)
        offsets[name] = offset
        return offset
    }
}
