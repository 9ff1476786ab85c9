// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The hash under which a record is filed, nil for kinds that are never merged (VAR, DATASEC).
///
/// - Parameter merges: what references were merged with (`representative`); nil for a base, whose
///   types stand for themselves.
///
/// Structs and unions are hashed without their members' types, named enums and typedefs by name:
/// whatever may still turn out to be the same type must share a hash. All other kinds hash every word.
func recordHash(
    _ words: [UInt32], _ start: Int, merges: [UInt32]? = nil
) -> UInt64? {
    func reference(_ id: UInt32) -> UInt32 {
        if let merges { representative(id, in: merges) } else { id }
    }
    let info = TypeInfo(rawValue: words[start + 1])
    guard let kind = info.kind else { return nil }
    var mixer = Mixer()
    mixer.add(UInt64(words[start]) << 32 | UInt64(words[start + 1]))
    switch kind {
    case .var, .datasec:
        return nil
    case .enum, .enum64:
        guard words[start] == 0 else {
            var byName = Mixer(UInt64(Kind.enum.rawValue))
            byName.add(words[start])
            return byName.value
        }
        // Nothing without a name is a forward declaration of anything.
        mixer.add(words[start + 2])
        let end = start + kind.shape.words(vlen: info.vlen)
        for at in start + 3..<end { mixer.add(words[at]) }
    case .struct, .union:
        mixer.add(words[start + 2])
        // A name is as good as the members, and quicker.
        guard words[start] == 0 else { break }
        var at = start + 3
        for _ in 0..<info.vlen {
            mixer.add(UInt64(words[at]) << 32 | UInt64(words[at + 2]))
            at += 3
        }
    case .int, .fwd, .float:
        mixer.add(words[start + 2])
        if kind == .int { mixer.add(words[start + 3]) }
    case .typedef:
        break
    case .ptr, .volatile, .const, .restrict, .func, .typeTag:
        mixer.add(reference(words[start + 2]))
    case .declTag:
        mixer.add(UInt64(reference(words[start + 2])) << 32 | UInt64(words[start + 3]))
    case .array:
        mixer.add(UInt64(reference(words[start + 3])) << 32 | UInt64(reference(words[start + 4])))
        mixer.add(words[start + 5])
    case .funcProto:
        mixer.add(reference(words[start + 2]))
        var at = start + 3
        for _ in 0..<info.vlen {
            mixer.add(UInt64(words[at]) << 32 | UInt64(reference(words[at + 1])))
            at += 2
        }
    }
    return mixer.value
}

/// What `id` was merged with, in a table of such steps; itself where it stands for itself or is not
/// settled.
func representative(_ id: UInt32, in merges: [UInt32]) -> UInt32 {
    var id = id
    while true {
        let next = merges[Int(id)]
        if next >= Deduplicator.inProgress || next == id { return id }
        id = next
    }
}

/// Which of some names belong to exactly one struct or union each.
struct UniqueComposites {
    private static let none: UInt32 = 0
    private static let several: UInt32 = .max
    private var byName: [UInt32: UInt32] = [:]

    /// - Parameter names: offsets of the names that matter, few beside all composites there are.
    init(of names: some Sequence<UInt32>) {
        for name in names where name != 0 { byName[name] = Self.none }
    }

    mutating func add(name: UInt32, id: UInt32) {
        guard let known = byName[name] else { return }
        byName[name] = known == Self.none ? id : Self.several
    }

    /// The one composite of this name, nil when there is none or several.
    func find(_ name: UInt32) -> UInt32? {
        guard let id = byName[name], id != Self.none, id != Self.several else { return nil }
        return id
    }
}
