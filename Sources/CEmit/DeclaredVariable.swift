// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// A variable of an object, whether or not a generated struct has it as a member.
package struct DeclaredVariable: Sendable, Equatable {
    /// As in the source.
    package let name: String
    /// The function that it is a static variable of.
    package let function: String?
    package let section: String
    package let isStatic: Bool
    /// Something of the kernel's, or of its configuration.
    package let isExtern: Bool

    package init(
        name: String, function: String? = nil, section: String, isStatic: Bool = false,
        isExtern: Bool = false
    ) {
        self.name = name
        self.function = function
        self.section = section
        self.isStatic = isStatic
        self.isExtern = isExtern
    }

    /// The variables in all DATASECs of `btf`, in their order.
    package static func list(in btf: BTF) -> [DeclaredVariable] {
        var list: [DeclaredVariable] = []
        for section in btf.ownRecords where section.kind == .datasec {
            for index in 0..<section.count {
                guard let entry = btf.record(TypeID(section.element(index, 0))), entry.kind == .var
                else { continue }
                list.append(DeclaredVariable(entry, in: section.name))
            }
        }
        return list
    }

    private init(_ entry: Record, in section: String) {
        // Clang calls a function's static variable `function.name`.
        let parts = entry.name.split(separator: ".", omittingEmptySubsequences: false)
        self.init(
            name: parts.count == 2 ? String(parts[1]) : entry.name,
            function: parts.count == 2 ? String(parts[0]) : nil, section: section,
            isStatic: entry.linkage == Linkage.static.rawValue,
            isExtern: entry.linkage == Linkage.extern.rawValue)
    }
}
