// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// The hash under which a record is filed, nil for kinds that are never merged (VAR, DATASEC, and
/// LOCSEC).
///
/// Structs and unions are hashed without their members' types, named enums and typedefs by name:
/// types that may still turn out to be the same must share a hash. All other kinds hash every word.
/// The names of members' types are known, however: each tracepoint of a kernel has an unnamed union
/// whose two members only differ from the others' in the name of a typedef.
///
/// The lower half, which selects the bucket, is close to that of neighbours: names and types of the
/// same header are numbered consecutively, and occur together in every unit. Scattered buckets are
/// cache misses.
///
/// - Parameters:
///   - word: reads a word of the record.
///   - reference: what a type id stands for.
///   - name: the name of the type with an id.
@inline(__always)
func recordHash(
    _ word: (Int) -> UInt32, reference: (UInt32) -> UInt32 = { $0 }, name nameOf: (UInt32) -> UInt32
) -> UInt64? {
    let info = TypeInfo(rawValue: word(1))
    guard let kind = info.kind else { return nil }
    let name = word(0)
    // Types by name are apart from those by target, and names take two bytes at least.
    var bucket = name >> 3
    var mixer = Mixer()
    mixer.add(UInt64(name) << 32 | UInt64(info.rawValue))
    switch kind.role {
    case .variable, .section, .locationSection, .unknown:
        return nil
    case .enumeration:
        guard name == 0 else {
            var byName = Mixer(UInt64(Kind.enum.rawValue))
            byName.add(name)
            return (byName.value >> 32) << 32 | UInt64(bucket)
        }
        // Nothing without a name is a forward declaration of anything.
        mixer.add(word(2))
        for at in 3..<info.recordWords { mixer.add(word(at)) }
    case .composite:
        mixer.add(word(2))
        // A name is as good as the members, and quicker.
        guard name == 0 else { break }
        var at = 3
        for _ in 0..<info.vlen {
            mixer.add(UInt64(word(at)) << 32 | UInt64(word(at + 2)))
            mixer.add(nameOf(word(at + 1)))
            at += 3
        }
    case .integer, .forward, .float:
        mixer.add(word(2))
        if kind == .int { mixer.add(word(3)) }
    case .alias:
        break
    case .pointer, .qualifier, .function, .typeTag:
        let target = reference(word(2))
        mixer.add(target)
        if kind != .func { bucket = target &* 2 &+ UInt32(kind.rawValue) &* 0x2000 }
    case .declarationTag:
        let target = reference(word(2))
        mixer.add(UInt64(target) << 32 | UInt64(word(3)))
        bucket = target &* 2 &+ UInt32(kind.rawValue) &* 0x2000
    case .array:
        mixer.add(UInt64(reference(word(3))) << 32 | UInt64(reference(word(4))))
        mixer.add(word(5))
    case .location:
        mixer.add(word(2))
        for at in 3..<info.recordWords { mixer.add(word(at)) }
    case .locationPrototype:
        mixer.add(word(2))
        for at in 3..<info.recordWords { mixer.add(reference(word(at))) }
    case .prototype:
        mixer.add(reference(word(2)))
        var at = 3
        for _ in 0..<info.vlen {
            mixer.add(UInt64(word(at)) << 32 | UInt64(reference(word(at + 1))))
            at += 2
        }
    }
    if bucket == 0 { return mixer.value }
    return (mixer.value >> 32) << 32 | UInt64(bucket)
}

/// The hash of the record of `id` among others that refer to each other by place in `starts`.
func recordHash(_ words: [UInt32], _ starts: [UInt32], _ id: Int) -> UInt64? {
    let start = Int(starts[id])
    return recordHash {
        words[start + $0]
    } name: {
        $0 != 0 && $0 < starts.count ? words[Int(starts[Int($0)])] : 0
    }
}

/// The hash of a record that refers to nothing, or by the ids themselves.
func recordHash(_ record: [UInt32]) -> UInt64? {
    recordHash({ record[$0] }, name: { _ in 0 })
}
