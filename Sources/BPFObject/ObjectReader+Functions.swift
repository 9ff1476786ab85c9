// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF

extension ObjectReader {
    /// The functions of all sections with instructions, by section and offset, in libbpf's order.
    func functions() throws(BPFObjectError) -> [BPFObject.Function] {
        var found: [BPFObject.Function] = []
        var code: [Int: ByteView] = [:]
        let text = elf.sections.first { $0.name == ".text" && roles[$0.index] == .program }?.index
        for symbol in symbols where symbol.type == ELFSymbolCode.typeFunction {
            guard let index = symbol.sectionIndex, roles[index] == .program else { continue }
            let section = elf.sections[index]
            let name = try name(of: symbol)
            if code[index] == nil { code[index] = try bytes(of: section) }
            let size = UInt64(Instruction.size)
            guard symbol.size > 0, symbol.size % size == 0, symbol.value % size == 0,
                let offset = Int(exactly: symbol.value), let length = Int(exactly: symbol.size),
                let part = code[index]?.slice(offset, length)
            else {
                throw BPFObjectError(
                    file: path, section: section.name, offset: Int(clamping: symbol.value),
                    "function '\(name)' of \(symbol.size) bytes does not consist of instructions inside the "
                        + "section (\(section.size) bytes)")
            }
            let isStatic = symbol.binding == ELFSymbolCode.bindLocal
            guard !isStatic || index == text else {
                throw BPFObjectError(
                    file: path, section: section.name, offset: offset,
                    "program '\(name)' is static",
                    hint: "remove 'static', or the SEC() of a function that programs call")
            }
            let asked =
                section.name.hasPrefix("?") ? String(section.name.dropFirst()) : section.name
            found.append(
                BPFObject.Function(
                    name: name, section: section.name, sectionIndex: index, offset: offset,
                    code: part, isWeak: symbol.binding == ELFSymbolCode.bindWeak,
                    isStatic: isStatic, isSubprogram: index == text,
                    kind: ProgramKind(section: asked)))
            // Far more than any loader accepts; memory stays proportional to a hostile file.
            guard found.count <= 0xffff else {
                throw BPFObjectError(file: path, "more than 65535 functions")
            }
        }
        found.sort { ($0.sectionIndex, $0.offset) < ($1.sectionIndex, $1.offset) }
        // A single function in the section is a program, not a subprogram.
        if found.count == 1 { found[0].isSubprogram = false }
        for (a, b) in zip(found, found.dropFirst())
        where a.sectionIndex == b.sectionIndex && b.offset - a.offset < a.code.count {
            throw BPFObjectError(
                file: path, section: b.section, offset: b.offset,
                "function '\(b.name)' overlaps function '\(a.name)'")
        }
        return found
    }
}
