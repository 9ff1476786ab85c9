// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
package import BTF
internal import Bytes

/// Looks up what CO-RE relocations of an object refer to in a kernel's types.
package struct FieldLookup {
    private let local: BTF
    private let kernel: BTF
    /// Types of the kernel by name, of those names that the object refers to.
    private var candidates: [String: [Record]] = [:]

    package init(_ object: BPFObject, in kernel: BTF) {
        local = object.btf
        self.kernel = kernel
        var wanted: Set<[UInt8]> = []
        for relocation in object.extendedInfo.relocations {
            guard let record = FieldLookup.named(relocation.type, local) else { continue }
            wanted.insert(FieldLookup.essential(record.name).systemBytes)
        }
        guard !wanted.isEmpty else { return }
        let longest = wanted.lazy.map(\.count).max() ?? 0
        var link: BTF? = kernel
        while let part = link {
            for record in part.ownRecords {
                guard let bytes = kernel.stringBytes(at: record.nameOffset, atMost: longest),
                    !bytes.isEmpty, wanted.contains(Array(bytes)),
                    let known = kernel.record(record.id)
                else { continue }
                candidates[String(systemBytes: bytes), default: []].append(known)
            }
            link = part.base
        }
    }

    /// The name of the struct or other type that a relocation is about, without a suffix such as
    /// `___old`; nil if it has none.
    package func subject(of relocation: ExtendedInfo.FieldRelocation) -> String? {
        FieldLookup.named(relocation.type, local).map { FieldLookup.essential($0.name) }
    }

    /// What the kernel lacks for a relocation.
    package struct Lack: Equatable {
        package let text: String
        /// The loader puts in a 0; otherwise an instruction that no kernel accepts.
        package let isZero: Bool
    }

    /// nil if the kernel has all, or if that is what is asked.
    package func lack(for relocation: ExtendedInfo.FieldRelocation) -> Lack? {
        guard let text = missing(for: relocation) else { return nil }
        switch relocation.question {
        case .targetType: return Lack(text: text + ", so its id is 0", isZero: true)
        case .typeSize: return Lack(text: text + ", so its size is 0", isZero: true)
        default: return Lack(text: text, isZero: false)
        }
    }

    private func missing(for relocation: ExtendedInfo.FieldRelocation) -> String? {
        guard let question = relocation.question, !question.isQuestion, question != .localType,
            let record = Self.named(relocation.type, local)
        else { return nil }
        let name = Self.essential(record.name)
        let word = Self.word(record.kind)
        let found = (candidates[name] ?? []).filter {
            $0.kind == record.kind || $0.kind.isAnyEnum && record.kind.isAnyEnum
        }
        guard !found.isEmpty else { return "the kernel has no \(word) \(name)" }
        switch question {
        case .targetType, .typeSize: return nil
        case .enumeratorValue:
            guard let index = Int(relocation.access), index < record.count else { return nil }
            let value = Self.essential(record.elementName(index))
            let has = found.contains { type in
                (0..<type.count).contains { Self.essential(type.elementName($0)) == value }
            }
            return has ? nil : "enum \(name) of the kernel has no value \(value)"
        default: break
        }
        guard let path = path(relocation.access, from: relocation.type) else { return nil }
        var reason: String?
        for type in found {
            guard let lack = lack(path, in: type, "\(word) \(name)") else { return nil }
            reason = reason ?? lack
        }
        return reason
    }

    /// Where the kernel has the member that a relocation is about, in bytes from the start of its
    /// struct; nil if it is not there, or not the same in all structs with the name.
    func place(of relocation: ExtendedInfo.FieldRelocation) -> Int? {
        guard let record = Self.named(relocation.type, local),
            let steps = path(relocation.access, from: relocation.type)
        else { return nil }
        let places = (candidates[Self.essential(record.name)] ?? [])
            .filter { $0.kind == record.kind }.compactMap { place(steps, in: $0) }
        guard let first = places.first, places.allSatisfy({ $0 == first }) else { return nil }
        return first
    }

    private func place(_ steps: [Step], in type: Record) -> Int? {
        var current: Record? = type
        var bits: UInt32 = 0
        for step in steps {
            guard case .member(let name, _) = step, let record = current,
                let found = find(name, in: record, depth: 0)
            else { return nil }
            bits &+= found.bitOffset
            current = kernel.unmodified(found.type)
        }
        return bits % 8 == 0 ? Int(bits / 8) : nil
    }

    // MARK: Paths

    private enum Step {
        case member(String, type: TypeID)
        case element(UInt32)
    }

    /// The steps of an access string in the object's own types; nil if it is not valid.
    private func path(_ access: String, from type: TypeID) -> [Step]? {
        let numbers = access.split(separator: ":").map { UInt32($0) }
        var steps: [Step] = []
        var current = local.unmodified(type)
        for number in numbers.dropFirst() {
            guard let number, let record = current else { return nil }
            if record.kind.isComposite {
                let members = record.members
                guard number < members.count else { return nil }
                let member = members[Int(number)]
                // Members of unnamed structs belong to what is around them.
                if !member.name.isEmpty {
                    steps.append(.member(Self.essential(member.name), type: member.type))
                }
                current = local.unmodified(member.type)
            } else if record.kind == .array {
                steps.append(.element(number))
                current = local.unmodified(TypeID(record.fixed(0)))
            } else {
                return nil
            }
        }
        return steps
    }

    private func lack(_ steps: [Step], in type: Record, _ name: String) -> String? {
        var current: Record? = type
        var name = name
        for step in steps {
            guard let record = current else { return "\(name) of the kernel is not complete" }
            switch step {
            case .member(let member, let wanted):
                guard record.kind.isComposite else {
                    return "\(name) of the kernel is not a struct"
                }
                guard let found = find(member, in: record, depth: 0) else {
                    return "\(name) of the kernel has no member \(member)"
                }
                name += ".\(member)"
                guard isReadable(wanted, as: found.type) else {
                    let texts = TypeTexts(kernel)
                    return "\(name) is \(texts.text(found.type)) in the kernel, and "
                        + "\(TypeTexts(local).text(wanted)) in the object"
                }
                current = kernel.unmodified(found.type)
            case .element(let index):
                guard record.kind == .array else { return "\(name) of the kernel is not an array" }
                // An array without a length ends a struct.
                if record.fixed(2) != 0, index >= record.fixed(2) {
                    return "\(name) of the kernel has \(record.fixed(2)) elements, not \(index + 1)"
                }
                current = kernel.unmodified(TypeID(record.fixed(0)))
            }
        }
        return nil
    }

    /// A member, also one of unnamed structs inside, with its offset in `record`.
    private func find(
        _ name: String, in record: Record, depth: Int
    ) -> (type: TypeID, bitOffset: UInt32)? {
        guard depth < 32, record.kind.isComposite else { return nil }
        for member in record.members {
            if member.name == name { return (member.type, member.bitOffset) }
            guard member.name.isEmpty, let inner = kernel.unmodified(member.type),
                let found = find(name, in: inner, depth: depth + 1)
            else { continue }
            return (found.type, member.bitOffset &+ found.bitOffset)
        }
        return nil
    }

    /// Whether libbpf adapts an access of a member of the one type to the other.
    private func isReadable(_ wanted: TypeID, as found: TypeID, depth: Int = 0) -> Bool {
        guard let one = local.unmodified(wanted), let two = kernel.unmodified(found) else {
            return false
        }
        if one.kind.isComposite, two.kind.isComposite { return true }
        guard one.kind == two.kind || one.kind.isAnyEnum && two.kind.isAnyEnum else { return false }
        if one.kind == .array, depth < 32 {
            return isReadable(TypeID(one.fixed(0)), as: TypeID(two.fixed(0)), depth: depth + 1)
        }
        return true
    }

    // MARK: Names

    /// The type itself, if it has a name.
    private static func named(_ type: TypeID, _ btf: BTF) -> Record? {
        guard let record = btf.record(type) else { return nil }
        if !record.name.isEmpty { return record }
        return btf.unmodified(type).flatMap { $0.name.isEmpty ? nil : $0 }
    }

    private static func word(_ kind: Kind) -> String {
        switch kind {
        case .union: "union"
        case .enum, .enum64: "enum"
        case .typedef: "typedef"
        case .int, .float: "type"
        default: "struct"
        }
    }

    /// Without a last part that begins with three underscores.
    static func essential(_ name: String) -> String {
        String(systemBytes: essentialName(name.systemBytes[...]))
    }
}
