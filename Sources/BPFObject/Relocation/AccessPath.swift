// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

/// Why a relocation has no answer, whatever the kernel.
struct RelocationFault: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

/// The way from a type to what a relocation is about: members and elements of structs and arrays.
struct AccessPath {
    /// More numbers are not accepted (BPF_CORE_SPEC_MAX_LEN of libbpf and the kernel).
    static let longest = 64

    struct Step {
        /// The struct that has the member, or the type of the element, without qualifiers.
        let type: TypeID
        /// The member, the element or the enumerator.
        let index: Int
        /// Of the member or enumerator; nil for an element.
        let name: ArraySlice<UInt8>?
    }

    /// In the types that `steps` are of.
    var root: TypeID
    /// What the path leads through by name. Unnamed structs are part of the one around them.
    var steps: [Step] = []
    /// All numbers of the access string, with those of unnamed structs.
    var numbers: [Int] = []
    /// Bits from the start of the root.
    var bitOffset: UInt64 = 0

    init(root: TypeID) { self.root = root }

    mutating func append(number: Int) throws(RelocationFault) {
        guard numbers.count < Self.longest else {
            throw RelocationFault("the path is longer than \(Self.longest) steps")
        }
        numbers.append(number)
    }
}

extension AccessPath {
    /// The path in an object's own types.
    ///
    /// - Throws: where the access string does not fit them.
    init(
        _ relocation: ExtendedInfo.FieldRelocation, _ kind: RelocationKind, in btf: BTF
    ) throws(RelocationFault) {
        self.init(root: relocation.type)
        if kind.subject == .type {
            guard relocation.access == "0" else {
                throw RelocationFault("the path to a type is 0")
            }
            return
        }
        let parts = relocation.access.split(
            separator: ":", maxSplits: Self.longest + 1, omittingEmptySubsequences: false)
        for part in parts {
            guard let number = UInt32(part) else {
                throw RelocationFault("the path is not numbers with colons between them")
            }
            try append(number: Int(number))
        }
        guard let plain = btf.resolved(relocation.type) else {
            throw RelocationFault("it leads to no type")
        }
        if kind.subject == .enumerator {
            guard let type = plain.record, type.kind.isAnyEnum, numbers.count == 1,
                numbers[0] < type.count
            else { throw RelocationFault("the path leads to no enumerator") }
            steps.append(
                Step(type: plain.id, index: numbers[0], name: type.elementNameBytes(numbers[0])))
            return
        }
        steps.append(Step(type: plain.id, index: numbers[0], name: nil))
        bitOffset = try btf.bits(numbers[0], of: plain.id)
        var current = plain
        for number in numbers.dropFirst() {
            guard let record = current.record else {
                throw RelocationFault("the path goes on after void")
            }
            let next: TypeID
            if record.kind.isComposite {
                guard number < record.count else {
                    throw RelocationFault(
                        "\(record.kind.word) [\(record.id)] has \(record.count) members, not \(number + 1)"
                    )
                }
                let member = record.place(ofMember: number)
                bitOffset &+= UInt64(member.bitOffset)
                if record.element(number, 0) != 0 {
                    let name = record.elementNameBytes(number)
                    guard !name.isEmpty else {
                        throw RelocationFault("a member's name is empty or too long")
                    }
                    steps.append(Step(type: current.id, index: number, name: name))
                }
                next = member.type
            } else if record.kind == .array {
                guard btf.isFlexible(record, after: steps.last) || number < record.fixed(2) else {
                    throw RelocationFault(
                        "ARRAY [\(record.id)] has \(record.fixed(2)) elements, not \(number + 1)")
                }
                next = TypeID(record.fixed(0))
                guard let element = btf.resolved(next) else {
                    throw RelocationFault("ARRAY [\(record.id)] is of no type")
                }
                steps.append(Step(type: element.id, index: number, name: nil))
                bitOffset &+= try btf.bits(number, of: element.id)
            } else {
                throw RelocationFault(
                    "the path goes on after \(record.kind.word) [\(record.id)], which has no parts")
            }
            guard let following = btf.resolved(next) else {
                throw RelocationFault("it leads to no type")
            }
            current = following
        }
    }
}

extension BTF {
    /// A type without typedefs, qualifiers and tags.
    struct Resolved {
        let id: TypeID
        /// nil for void.
        let record: Record?
    }

    /// nil for a type that does not exist, and for a chain that does not end.
    func resolved(_ id: TypeID) -> Resolved? {
        var id = id
        // More than anyone writes; parsed BTF may have cycles.
        for _ in 0..<256 {
            if id == .void { return Resolved(id: id, record: nil) }
            guard let record = record(id) else { return nil }
            if !record.kind.isModifier { return Resolved(id: id, record: record) }
            id = record.type
        }
        return nil
    }

    /// The offset in bits of an element of a type.
    func bits(_ index: Int, of type: TypeID) throws(RelocationFault) -> UInt64 {
        guard let size = size(of: type) else {
            throw RelocationFault("type [\(type)] has no size")
        }
        return UInt64(index) &* UInt64(size) &* 8
    }

    /// An array without a length at the end of a struct: it may have any number of elements.
    func isFlexible(_ array: Record, after step: AccessPath.Step?) -> Bool {
        guard array.fixed(2) == 0, let step, step.name != nil, let owner = record(step.type) else {
            return false
        }
        return step.index == owner.count - 1
    }
}

extension Record {
    /// Longer names are those of no kernel, and match nothing (KSYM_NAME_LEN).
    static var longestName: Int { 511 }

    /// Empty for a name that is too long.
    func elementNameBytes(_ index: Int) -> ArraySlice<UInt8> {
        btf.stringBytes(at: element(index, 0), atMost: Self.longestName) ?? []
    }

    /// Empty for a name that is too long.
    var nameBytes: ArraySlice<UInt8> {
        btf.stringBytes(at: nameOffset, atMost: Self.longestName) ?? []
    }

    /// One member of a STRUCT or UNION without its name.
    func place(
        ofMember index: Int
    ) -> (type: TypeID, bitOffset: UInt32, bitfieldSize: UInt32) {
        let raw = element(index, 2)
        return (
            TypeID(element(index, 1)), flag ? raw & 0xff_ffff : raw, flag ? raw >> 24 : 0
        )
    }
}
