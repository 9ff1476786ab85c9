// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

extension BTF {
    /// Limit on chains of types, as in libbpf.
    private var depthLimit: Int { 32 }

    /// The type behind typedefs and qualifiers; nil for void.
    func plain(_ id: TypeID) -> Record? {
        var id = id
        for _ in 0..<depthLimit {
            guard let record = record(id) else { return nil }
            if !record.kind.isModifier { return record }
            id = record.type
        }
        return nil
    }

    /// The size of a value of the type; nil for a type without size.
    func size(of id: TypeID) -> UInt32? {
        var count: UInt32 = 1
        var id = id
        for _ in 0..<depthLimit {
            guard let record = record(id) else { return nil }
            let size: UInt32
            switch record.kind.role {
            case .integer, .composite, .enumeration, .float, .section: size = record.size
            case .pointer: size = pointerSize
            case .alias, .qualifier, .typeTag, .variable:
                id = record.type
                continue
            case .array:
                let product = count.multipliedReportingOverflow(by: record.fixed(2))
                guard !product.overflow else { return nil }
                count = product.partialValue
                id = TypeID(record.fixed(0))
                continue
            case .function, .prototype, .forward, .declarationTag, .location, .locationPrototype,
                .locationSection, .unknown:
                return nil
            }
            let product = count.multipliedReportingOverflow(by: size)
            return product.overflow ? nil : product.partialValue
        }
        return nil
    }
}

extension Record {
    /// A variable declared `extern const void`, which only stands for an address.
    var isTypelessExtern: Bool {
        guard kind == .var, linkage == Linkage.extern.rawValue else { return false }
        var id = type
        // More than anyone writes; the checker refuses longer chains.
        for _ in 0..<64 {
            guard id != .void else { return true }
            guard let record = btf.record(id), record.kind.isModifier else { return false }
            id = record.type
        }
        return false
    }
}
