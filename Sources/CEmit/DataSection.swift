// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// The variables of a data section as members of a C struct, each at its own offset.
package struct DataSection: Sendable, Equatable {
    package struct Variable: Sendable, Equatable {
        package let name: String
        /// From the section's start.
        package let offset: UInt32
        /// In bytes.
        package let size: UInt32
        /// nil if it has parts.
        package let scalar: CScalar?
        /// `const` without `volatile`: compilers compute with its initial value.
        package let isFolded: Bool
    }

    /// How the struct has the variables.
    package enum Members: Sendable {
        /// As they are in the section, with padding where the compiler would insert none.
        case values
        /// As pointers to those of other objects; static ones are left out.
        case pointers
    }

    /// One line of C each.
    package let members: [String]
    /// Definitions that the members need, one line of C each.
    package let types: [String]
    /// Expected contents of the struct in member order, for the compiler to verify.
    package let variables: [Variable]

    /// Typedefs defined both in linux/types.h and in the headers of user space.
    package static let knownTypedefs: Set<String> = [
        "__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32", "__s64", "__le16", "__le32",
        "__le64", "__be16", "__be32", "__be64", "__sum16", "__wsum", "bool", "size_t", "int8_t",
        "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
    ]

    /// The data sections of one text: definitions that several of them need appear with the first.
    ///
    /// - Parameters:
    ///   - sections: DATASECs in `btf` with the offsets of their variables, and the size in bytes
    ///     of each section; variables outside it are omitted.
    ///   - prefix: prefix of the tags of structs defined here. nil: none are defined; the including
    ///     code has structs, unions and enums under their own names.
    /// - Throws: `BTFError` if one is not a DATASEC, or variables overlap.
    package static func list(
        _ sections: [(type: TypeID, size: Int)], in btf: BTF, prefix: String?,
        as members: Members = .values
    ) throws(BTFError) -> [DataSection] {
        var declarations = CDeclarations(
            btf, style: CStyle(typedefs: Self.knownTypedefs, prefix: prefix))
        var list: [DataSection] = []
        for (type, size) in sections {
            list.append(
                try DataSection(type, in: btf, size: size, as: members, &declarations))
        }
        return list
    }

    private init(
        _ section: TypeID, in btf: BTF, size: Int, as kind: Members,
        _ declarations: inout CDeclarations
    ) throws(BTFError) {
        var members: [String] = []
        var variables: [Variable] = []
        var end: UInt64 = 0
        var paddings = 0
        let known = declarations.definitions.count
        for (variable, type, isStatic) in try Self.variables(of: section, in: btf, size: size) {
            if case .pointers = kind {
                if isStatic { continue }
                members += Self.pointer(to: variable, type, &declarations)
                variables.append(variable)
                continue
            }
            let offset = UInt64(variable.offset)
            guard offset >= end else {
                throw BTFError(
                    offset: 0, "type \(section): variable \(variable.name) overlaps the one before")
            }
            let (lines, alignment) = Self.member(variable, type, &declarations)
            let step = UInt64(max(alignment, 1))
            if (end + step - 1) / step * step != offset {
                members.append("char __pad\(paddings)[\(offset - end)];")
                paddings += 1
            }
            members += lines
            variables.append(variable)
            end = offset + UInt64(variable.size)
        }
        self.members = members
        self.variables = variables
        types = Array(declarations.definitions[known...])
    }

    /// The declaration of a variable; as bytes if C cannot express its type.
    private static func member(
        _ variable: Variable, _ type: TypeID, _ declarations: inout CDeclarations
    ) -> (lines: [String], alignment: UInt32) {
        let (bytes, alignment) = declarations.size(of: type)
        if bytes == UInt64(variable.size), alignment > 0, variable.offset % alignment == 0,
            var lines = try? declarations.declare(type, variable.name), !lines.isEmpty
        {
            lines[lines.count - 1] += ";"
            return (lines, alignment)
        }
        return (["unsigned char \(variable.name)[\(variable.size)];"], 1)
    }

    private static func pointer(
        to variable: Variable, _ type: TypeID, _ declarations: inout CDeclarations
    ) -> [String] {
        guard var lines = try? declarations.declare(type, variable.name, isPointer: true),
            !lines.isEmpty
        else { return ["unsigned char (*\(variable.name))[\(variable.size)];"] }
        // Parentheses where an array or a function follows; C++ compilers complain of others.
        let wrapped = "(*\(variable.name))"
        var last = lines.removeLast()
        if last.hasSuffix(wrapped) {
            last.removeLast(wrapped.utf8.count)
            last += "*\(variable.name)"
        }
        return lines + [last + ";"]
    }

    /// The variables that C can express, by offset: their name is valid and unique in the section.
    private static func variables(
        of section: TypeID, in btf: BTF, size: Int
    ) throws(BTFError) -> [(variable: Variable, type: TypeID, isStatic: Bool)] {
        guard let record = btf.record(section), record.kind == .datasec else {
            throw BTFError(offset: 0, "type \(section) is not a DATASEC")
        }
        var found: [(variable: Variable, type: TypeID, isStatic: Bool)] = []
        var globals: Set<String> = []
        var statics: [String: Int] = [:]
        for index in 0..<record.count {
            guard let entry = btf.record(TypeID(record.element(index, 0))), entry.kind == .var,
                entry.linkage != Linkage.extern.rawValue || record.name == ".kconfig"
            else { continue }
            let variable = Variable(
                name: entry.name, offset: record.element(index, 1), size: record.element(index, 2),
                scalar: CScalar(entry.type, in: btf), isFolded: isFolded(entry.type, in: btf))
            guard CIdentifier.isValid(variable.name), variable.size > 0,
                UInt64(variable.offset) + UInt64(variable.size) <= UInt64(max(size, 0))
            else { continue }
            let isStatic = entry.linkage == Linkage.static.rawValue
            if isStatic {
                statics[variable.name, default: 0] += 1
            } else if !globals.insert(variable.name).inserted {
                throw BTFError(
                    offset: 0, "type \(section): duplicate variable \(variable.name)")
            }
            found.append((variable, entry.type, isStatic))
        }
        return found.filter {
            !$0.isStatic
                || statics[$0.variable.name] == 1 && !globals.contains($0.variable.name)
                    && !$0.variable.name.hasPrefix("__")
        }
        .sorted { $0.variable.offset < $1.variable.offset }
    }

    /// Whether the type, or that of an array's elements, is `const` and not `volatile`.
    private static func isFolded(_ type: TypeID, in btf: BTF) -> Bool {
        var isConstant = false
        var next = type
        // Kernels accept no chain longer than 32.
        for _ in 0..<1000 {
            guard let record = btf.record(next) else { return isConstant }
            switch record.kind {
            case .volatile: return false
            case .const: isConstant = true
            case .array:
                next = TypeID(record.fixed(0))
                continue
            case let kind where kind.isModifier: break
            default: return isConstant
            }
            next = record.type
        }
        return isConstant
    }
}
