// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// Prototypes compared as the verifier does for programs that replace functions, and as libbpf does
/// for kernel functions.
package enum Compatibility {
    /// What the verifier says of replacing `old` by `new`; nil if it accepts it. Both are FUNCs.
    package static func replacementFault(_ new: Record, _ old: Record) -> String? {
        for function in [new, old] where function.linkage != Linkage.global.rawValue {
            return "\(function.name)() is not a global function"
        }
        guard let one = new.btf.record(new.type), let two = old.btf.record(old.type),
            one.kind == .funcProto, two.kind == .funcProto
        else { return "no prototype" }
        guard one.count == two.count else {
            return "\(new.name)() has \(one.count) args while \(old.name)() has \(two.count) args"
        }
        let returned = (new.btf.unmodified(one.type), old.btf.unmodified(two.type))
        guard returned.0?.info == returned.1?.info else {
            return
                "Return type \(word(returned.0)) of \(new.name)() doesn't match type \(word(returned.1)) of \(old.name)()"
        }
        for index in 0..<one.count {
            if let fault = argumentFault(index, new, one, old, two) { return fault }
        }
        return nil
    }

    private static func word(_ record: Record?) -> String { record?.kind.word ?? "UNKNOWN" }

    private static func argumentFault(
        _ index: Int, _ new: Record, _ one: Record, _ old: Record, _ two: Record
    ) -> String? {
        let a = new.btf.unmodified(TypeID(one.element(index, 1)))
        let b = old.btf.unmodified(TypeID(two.element(index, 1)))
        guard let a, let b else { return "arg\(index) in \(new.name)() has unrecognized type" }
        guard a.info == b.info else {
            return
                "arg\(index) in \(new.name)() is \(a.kind.word) while \(old.name)() has \(b.kind.word)"
        }
        switch a.kind {
        case .int, .struct, .union, .enum, .enum64, .float, .datasec:
            if a.size != b.size {
                return
                    "arg\(index) in \(new.name)() has size \(a.size) while \(old.name)() has \(b.size)"
            }
        default: break
        }
        if a.kind == .int || a.kind.isAnyEnum { return nil }
        guard a.kind == .ptr else {
            return "arg\(index) in \(new.name)() has unrecognized type"
        }
        let from = new.btf.unmodified(a.type)
        let to = old.btf.unmodified(b.type)
        guard let from, from.kind.isComposite else {
            return "arg\(index) in \(new.name)() is not a pointer to context"
        }
        guard let to, to.kind.isComposite else {
            return "arg\(index) in \(old.name)() is not a pointer to context"
        }
        guard from.name == to.name else {
            return
                "arg\(index) \(new.name)(struct \(from.name) *) doesn't match \(old.name)(struct \(to.name) *)"
        }
        return nil
    }

    /// Whether libbpf takes `kernel` for the type of the function or variable that an object
    /// declares as `local`: both have the same shape; names of types do not count.
    static func areCompatible(
        _ local: TypeID, of a: BTF, _ kernel: TypeID, of b: BTF, depth: Int = 0
    ) -> Bool {
        guard depth < 32 else { return false }
        let one = a.unmodified(local)
        let two = b.unmodified(kernel)
        guard let one, let two else { return one == nil && two == nil }
        guard one.kind == two.kind || one.kind.isAnyEnum && two.kind.isAnyEnum else { return false }
        switch one.kind {
        case .ptr:
            return areCompatible(one.type, of: a, two.type, of: b, depth: depth + 1)
        case .array:
            return areCompatible(
                TypeID(one.fixed(0)), of: a, TypeID(two.fixed(0)), of: b, depth: depth + 1)
        case .funcProto:
            guard one.count == two.count else { return false }
            for index in 0..<one.count
            where !areCompatible(
                TypeID(one.element(index, 1)), of: a, TypeID(two.element(index, 1)), of: b,
                depth: depth + 1)
            {
                return false
            }
            return areCompatible(one.type, of: a, two.type, of: b, depth: depth + 1)
        // Old bitfields.
        case .int: return one.fixed(0) >> 16 & 0xff == 0 && two.fixed(0) >> 16 & 0xff == 0
        case .struct, .union, .enum, .enum64, .fwd: return true
        default: return false
        }
    }
}
