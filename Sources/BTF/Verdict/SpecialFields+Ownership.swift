// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension SpecialFields {
    private static let mostOwners = 8

    /// Structs that own structs by lists, trees and pointers: at most eight in a row.
    func checkOwnership() throws(Unaccepted) {
        var depths: [UInt32: Int] = [:]
        for id in records.keys.sorted() {
            guard depth(of: id, Self.mostOwners, &depths) != nil else {
                throw refuse(id, .loop, "owns structs that own structs, more than eight in a row")
            }
        }
    }

    /// nil if it is more than `left`.
    private func depth(of id: UInt32, _ left: Int, _ depths: inout [UInt32: Int]) -> Int? {
        guard left > 0 else { return nil }
        if depths[id] == nil {
            var most = 0
            for field in records[id] ?? [] where isOwner(field) {
                guard let below = depth(of: field.target, left - 1, &depths) else { return nil }
                most = max(most, below)
            }
            depths[id] = most + 1
        }
        return depths[id].flatMap { $0 > left ? nil : $0 }
    }

    private func isOwner(_ field: Field) -> Bool {
        field.kind.isRoot
            || (field.kind == .pointer || field.kind == .perCPUPointer)
                && records[field.target] != nil
    }
}

/// Names in a program's BTF that special fields are found by.
struct NameIndex {
    private let types: KernelTypes
    /// The first STRUCT of each name that is special.
    private(set) var special: [SpecialFields.Kind: UInt32] = [:]
    /// The first STRUCT of each name.
    private(set) lazy var structs = Dictionary(
        (types.firstID..<max(types.typeCount, types.firstID)).lazy
            .filter { [types] in types.kind($0) == KernelKind.struct }
            .map { [types] in (types.string(types.nameOffset($0)) ?? [], $0) },
        uniquingKeysWith: { first, _ in first })
    /// What is special, by offset of the name.
    private(set) var kinds: [UInt32: SpecialFields.Kind] = [:]
    /// The tags `contains:` of each type: which member they are for, and their text.
    private(set) var contains: [UInt32: [(component: UInt32, text: UInt32)]] = [:]

    static let prefix = Array("contains:".utf8)
    private static let common = Array("bpf_".utf8)

    init(_ types: KernelTypes) {
        self.types = types
        for id in types.firstID..<max(types.typeCount, types.firstID) {
            let kind = types.kind(id)
            let offset = types.nameOffset(id)
            if kind == KernelKind.declTag, types.string(offset, startsWith: Self.prefix) {
                contains[types.third(id), default: []].append((types.word(id, 3), offset))
            }
            if offset != 0, types.string(offset, startsWith: Self.common),
                let field = SpecialFields.Kind(typeNamed: types.string(offset, atMost: 32) ?? [])
            {
                kinds[offset] = field
                if kind == KernelKind.struct, special[field] == nil { special[field] = id }
            }
        }
    }
}

extension SpecialFields.Kind {
    init?(typeNamed name: ArraySlice<UInt8>) {
        switch String(decoding: name, as: UTF8.self) {
        case "bpf_spin_lock": self = .spinLock
        case "bpf_res_spin_lock": self = .resilientSpinLock
        case "bpf_list_head": self = .listHead
        case "bpf_list_node": self = .listNode
        case "bpf_rb_root": self = .treeRoot
        case "bpf_rb_node": self = .treeNode
        case "bpf_refcount": self = .refcount
        default: return nil
        }
    }
}

/// What the running kernel knows of its objects.
enum KernelObjects {
    /// Structs that a map may own by a pointer tagged `kptr`: the kernel has a function that
    /// releases them (register_btf_id_dtor_kfuncs in kernel/bpf and net).
    static func hasDestructor(_ name: String) -> Bool {
        [
            "task_struct", "cgroup", "bpf_cpumask", "bpf_crypto_ctx", "prog_test_ref_kfunc",
            "prog_test_member",
        ].contains(name)
    }
}
