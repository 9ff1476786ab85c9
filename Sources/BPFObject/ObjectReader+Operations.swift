// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import ELF

extension ObjectReader {
    /// The variables of `.struct_ops` sections, in the file's order of sections.
    func operations() throws(BPFObjectError) -> [BPFObject.OperationsMap] {
        var found: [BPFObject.OperationsMap] = []
        for section in elf.sections where roles[section.index] == .structOps {
            guard let datasec = datasec(named: section.name) else {
                throw BPFObjectError(
                    file: path, section: section.name, "no DATASEC with this name in .BTF",
                    hint: "compile with -g")
            }
            for variable in try variables(of: datasec, in: section) {
                guard let structure = btf.plain(variable.type), structure.kind == .struct,
                    structure.nameOffset != 0
                else {
                    throw BPFObjectError(
                        file: path, section: section.name, offset: variable.offset,
                        "'\(variable.name)' is not a struct with a name")
                }
                found.append(
                    BPFObject.OperationsMap(
                        name: variable.name, section: section.name, size: structure.size))
            }
        }
        return found
    }

    /// The uses of struct_ops, for errors.
    func structOps(_ functions: [BPFObject.Function]) -> [String] {
        let sections = elf.sections.filter { roles[$0.index] == .structOps }.map(\.name)
        return sections + functions.filter { $0.kind?.type == .structOps }.map(\.section)
    }
}
