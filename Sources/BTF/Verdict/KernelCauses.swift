// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What in a C source leads to BTF that BPF_BTF_LOAD refuses.
extension KernelResolver {
    private func spelling(_ id: UInt32) -> String {
        let name = types.shown(types.nameOffset(id))
        return switch types.kind(id) {
        case 0: "void"
        case KernelKind.typedef: name
        default: "\(KernelLog.word(types.kind(id)).lowercased()) \(name)"
        }
    }

    /// The type behind all modifiers; nil if there are too many.
    private func target(_ start: UInt32) -> UInt32? {
        var id = start
        for _ in 0...32 {
            guard let kind = types.kindIfAny(id) else { return nil }
            if !KernelKind.isModifier(kind) { return id }
            id = types.third(id)
        }
        return nil
    }

    func useCause(_ type: UInt32, isReturn: Bool) -> String? {
        guard let end = target(type) else { return nil }
        let kind = types.kind(end)
        if isReturn, kind == 0, type != 0 {
            let what =
                types.kind(type) == KernelKind.typedef ? "typedef \(spelling(type))" : "a qualifier"
            return "the function returns void through \(what); it must return plain void"
        }
        if kind == KernelKind.fwd {
            return "\(isReturn ? "the result" : "the parameter") is a \(spelling(end)) by value, "
                + "which is only declared"
        }
        return nil
    }

    func variableCause(_ type: UInt32) -> String? {
        guard let end = target(type) else { return nil }
        return switch types.kind(end) {
        case KernelKind.fwd: "the variable's type is only declared"
        case 0: "the variable's type is void"
        default: nil
        }
    }

    func shortEnumCause(_ type: UInt32) -> String? {
        types.third(type) < 4
            ? "the struct has bit-fields and ends with an enum of \(types.third(type)) bytes; "
                + "the kernel counts 4"
            : nil
    }

    func depthCause(_ top: UInt32) -> String? {
        let names = stackedTypes.filter { KernelKind.isComposite(types.kind($0)) }
        guard names.count > 1 else {
            return "more than 32 types follow one upon the other, the outer ones first"
        }
        return "more than 32 types contain one another, from \(spelling(top)) to "
            + "\(spelling(names.last ?? top)), the outer ones first"
    }
}
