// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import CEmit
import Skeleton

/// The struct of a struct_ops map as C code sees it before it is loaded: members that are functions
/// point to programs, numbers may be set, and other members are bytes.
struct OperationsStruct {
    let operations: ObjectSkeleton.Operations

    init(_ type: Record, in btf: BTF) throws(BTFError) {
        var declarations = CDeclarations(btf, style: CStyle(typedefs: [], prefix: nil))
        var members: [String] = []
        var end: UInt64 = 0
        for (index, member) in type.members.enumerated() {
            let start = UInt64(member.bitOffset) / 8
            guard member.bitfieldSize == 0, CIdentifier.isValid(member.name), start >= end else {
                continue
            }
            if start > end { members.append("char __padding_\(index)[\(start - end)];") }
            let size = declarations.size(of: member.type).bytes
            members.append(Self.declaration(member, size, btf, &declarations, index))
            end = start + size
        }
        if end < UInt64(type.size) {
            members.append("char __padding_end[\(UInt64(type.size) - end)];")
        }
        operations = ObjectSkeleton.Operations(type: type.name, members: members)
    }

    private static func declaration(
        _ member: Member, _ size: UInt64, _ btf: BTF,
        _ declarations: inout CDeclarations, _ index: Int
    ) -> String {
        let target = btf.withoutModifiers(member.type)
        switch target?.kind {
        case .int, .float, .enum, .enum64:
            if let lines = try? declarations.declare(member.type, member.name), lines.count == 1 {
                return lines[0] + ";"
            }
        case .ptr where target.flatMap({ btf.withoutModifiers($0.type) })?.kind == .funcProto:
            return "struct bpf_program *\(member.name);"
        default: break
        }
        return "char __unsupported_\(index)[\(size)];"
    }
}
