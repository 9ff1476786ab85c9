// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// The arguments of a function as a program sees them: 8-byte slots of its context.
package struct Prototype: Sendable, Equatable {
    package struct Value: Sendable, Equatable {
        /// Empty if the BTF has none.
        package var name: String
        package let type: TypeID
        /// The first slot; its offset in the context is eight times that.
        package let slot: Int
        /// A struct may take two.
        package let slots: Int
        /// In bytes; nil if it has none.
        package let size: Int?
    }

    package var arguments: [Value]
    /// nil for void, and for programs that do not see it.
    package let returnValue: Value?
    /// The last parameter is `...`.
    package let isVariadic: Bool

    /// - Parameters:
    ///   - record: a FUNC_PROTO.
    ///   - skipping: leading parameters that a program does not see.
    init(_ record: Record, skipping: Int = 0, seesReturnValue: Bool) {
        let btf = record.btf
        var arguments: [Value] = []
        var slot = 0
        var isVariadic = false
        for index in 0..<record.count {
            let type = TypeID(record.element(index, 1))
            if index == record.count - 1, type == .void {
                isVariadic = true
                break
            }
            if index < skipping { continue }
            let size = btf.passedSize(of: type).size
            let slots = max(1, ((size ?? 8) + 7) / 8)
            arguments.append(
                Value(
                    name: record.elementName(index), type: type, slot: slot, slots: slots,
                    size: size))
            slot += slots
        }
        self.arguments = arguments
        self.isVariadic = isVariadic
        let returned = btf.passedSize(of: record.type)
        returnValue =
            seesReturnValue && returned.kind != nil
            ? Value(
                name: "", type: record.type, slot: slot,
                slots: max(1, ((returned.size ?? 8) + 7) / 8), size: returned.size) : nil
    }

    package var slots: Int { arguments.reduce(0) { $0 + $1.slots } }
}

extension BTF {
    /// The type behind typedefs, qualifiers and tags; nil for void and for types that do not exist.
    package func unmodified(_ type: TypeID) -> Record? {
        var record = self.record(type)
        // Parsed BTF may have cycles.
        for _ in 0..<64 {
            guard let current = record, current.kind.isModifier else { return record }
            record = self.record(current.type)
        }
        return nil
    }

    /// Kind and size in bytes of a type as a trampoline passes it. Kind nil: void, or a type that
    /// does not exist. Size nil: it has none, or is of a kind that cannot be passed.
    func passedSize(of type: TypeID) -> (kind: Kind?, size: Int?) {
        guard let record = unmodified(type) else { return (nil, nil) }
        switch record.kind {
        case .ptr: return (.ptr, 8)
        case .int, .enum, .enum64, .struct, .union: return (record.kind, Int(record.size))
        default: return (record.kind, nil)
        }
    }
}
