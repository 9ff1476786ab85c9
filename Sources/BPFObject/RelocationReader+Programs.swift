// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
internal import Tables

extension RelocationReader {
    /// The function that contains a relocation, and its target; nil for code outside functions, the
    /// remains of a weak function that a linker replaced.
    func reference(
        _ relocation: Relocation, in section: Int
    ) throws(BPFObjectError) -> (function: Int, BPFObject.Reference)? {
        guard let index = function(in: section, at: relocation.place) else { return nil }
        let function = functions[index]
        let number = (relocation.place - function.offset) / Instruction.size
        let instruction = Instruction(function.code, number, bigEndian: reader.elf.isBigEndian)
        let symbol = relocation.symbol
        let name = try reader.shownName(of: symbol)
        func fail(_ message: String, _ hint: String? = nil) -> BPFObjectError {
            BPFObjectError(
                file: reader.path, section: function.section, offset: relocation.place,
                "function '\(function.name)' \(message)", hint: hint)
        }
        func found(_ target: BPFObject.Reference.Target) -> (Int, BPFObject.Reference) {
            (index, BPFObject.Reference(instruction: number, target: target))
        }

        guard instruction.isCall || instruction.isLoad else {
            throw fail(
                "refers to '\(name)' in an instruction with opcode 0x\(String(instruction.code, radix: 16)), "
                    + "expected a call or a 64-bit load")
        }
        guard instruction.isCall || (number + 2) * Instruction.size <= function.code.count else {
            throw fail("ends within the instruction that loads '\(name)'")
        }
        if ObjectReader.isExtern(symbol) {
            guard let extern = externs[relocation.symbolNumber] else {
                throw fail("refers to a symbol without a name")
            }
            return found(instruction.isCall ? .externalCall(extern) : .externalVariable(extern))
        }
        guard let target = symbol.sectionIndex else {
            throw fail(
                "refers to '\(name)', which is in no section", "define it, or declare it __ksym")
        }
        let place = Int(clamping: symbol.value)
        if instruction.isCall {
            guard instruction.isLocalCall else {
                throw fail("calls '\(name)' through an instruction that does not call functions")
            }
            guard isText(target) else {
                throw fail(
                    "calls '\(name)' in section \(reader.elf.sections[target].name)",
                    "only functions without SEC() can be called")
            }
            let at = place.addingReportingOverflow(
                (Int(instruction.immediate) + 1) * Instruction.size)
            guard !at.overflow, let callee = start(in: target, at: at.partialValue) else {
                throw fail("calls '\(name)', where no function starts")
            }
            return found(.call(function: callee))
        }
        let at = place.addingReportingOverflow(Int(instruction.immediate))
        if isText(target) {
            guard !at.overflow, let callee = start(in: target, at: at.partialValue) else {
                throw fail("takes the address of '\(name)', where no function starts")
            }
            return found(.address(function: callee))
        }
        if reader.roles[target] == .maps {
            guard let map = declaredMap(startingAt: place) else {
                throw fail("refers to '\(name)' in .maps, where no map starts")
            }
            return found(.map(map))
        }
        let section = reader.elf.sections[target]
        let isArena = reader.roles[target] == .arena
        guard isArena || dataMaps[target] != nil else {
            if try reader.isLegacyMap(symbol) { throw reader.legacyMaps.error(symbol, in: section) }
            throw fail(
                "refers to '\(name)' in section \(section.name), which is not a data section",
                Self.hint(forData: section))
        }
        let size = section.size
        guard !at.overflow, at.partialValue >= 0, UInt64(at.partialValue) < size else {
            throw fail(
                "refers to offset \(at.partialValue) of \(section.name), which has \(size) bytes")
        }
        guard let map = dataMaps[target] else { return found(.arena(offset: at.partialValue)) }
        return found(.data(map: map, offset: at.partialValue))
    }

    /// Where to move variables from a section without a meaning.
    private static func hint(forData section: ELFSection) -> String {
        if section.size == 0 { return "the section is empty" }
        if section.name.hasPrefix(".addr_space.") {
            return
                "loaders support only address space 1, an arena's: __attribute__((address_space(1)))"
        }
        return "move it to .data, .rodata, .bss or .percpu, or to a section named after them: "
            + "SEC(\".data.\(section.name.drop { $0 == "." })\")"
    }

    /// References in order, including calls without a relocation to functions in the same section.
    func completed(
        _ references: [BPFObject.Reference], of index: Int
    ) throws(BPFObjectError) -> [BPFObject.Reference] {
        let function = functions[index]
        func fail(_ instruction: Int, _ message: String) -> BPFObjectError {
            BPFObjectError(
                file: reader.path, section: function.section,
                offset: function.offset + instruction * Instruction.size,
                "function '\(function.name)' \(message)")
        }
        let sorted = references.sorted { $0.instruction < $1.instruction }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.instruction == b.instruction {
            throw fail(b.instruction, "has two relocations in one instruction")
        }
        var result: [BPFObject.Reference] = []
        var rest = sorted[...]
        var number = 0
        let count = function.code.count / Instruction.size
        while number < count {
            let instruction = Instruction(
                function.code, number, bigEndian: reader.elf.isBigEndian)
            // The second half of a load contains no code.
            let length = instruction.isLoad ? 2 : 1
            if let next = rest.first, next.instruction < number + length {
                guard next.instruction == number else {
                    throw fail(next.instruction, "has a relocation in the middle of an instruction")
                }
                result.append(next)
                rest.removeFirst()
            } else if instruction.isLocalCall {
                let place =
                    function.offset + (number + Int(instruction.immediate) + 1) * Instruction.size
                guard function.isSubprogram,
                    let callee = start(in: function.sectionIndex, at: place)
                else { throw fail(number, "calls an address where no function starts") }
                result.append(
                    BPFObject.Reference(instruction: number, target: .call(function: callee)))
            }
            number += length
        }
        return result
    }

    /// The map that contains a relocation in `.maps`, and the slot and value it sets; nil if
    /// another object has to define the target.
    func slot(
        _ relocation: Relocation, in section: Int
    ) throws(BPFObjectError) -> (map: Int, BPFObject.Slot)? {
        let symbol = relocation.symbol
        let name = try reader.shownName(of: symbol)
        func fail(_ message: String) -> BPFObjectError {
            BPFObjectError(
                file: reader.path, section: reader.elf.sections[section].name,
                offset: relocation.place, message)
        }
        let place = relocation.place
        guard let index = declaredMap(at: place),
            let values = maps[index].slotsOffset, place - maps[index].offset >= values,
            (place - maps[index].offset - values) % 8 == 0
        else { throw fail("a reference to '\(name)' is not in the 'values' of a map") }
        let map = maps[index]
        if ObjectReader.isExtern(symbol) { return nil }
        let number = (place - map.offset - values) / 8
        let target = Int(clamping: symbol.value)
        if MapType.holdsMaps(map.definition.type) {
            guard symbol.sectionIndex == section,
                let inner = declaredMap(startingAt: target)
            else { throw fail("map '\(map.name)': '\(name)' is not a map") }
            return (index, BPFObject.Slot(index: number, target: .map(inner)))
        }
        guard let inside = symbol.sectionIndex, let function = start(in: inside, at: target),
            !functions[function].isSubprogram
        else { throw fail("map '\(map.name)': '\(name)' is not a program") }
        return (index, BPFObject.Slot(index: number, target: .function(function)))
    }

    /// The map whose declaration contains the byte of `.maps`.
    private func declaredMap(at place: Int) -> Int? {
        let behind = declaredMaps.partitioningIndex { $0.offset > place }
        guard behind > 0 else { return nil }
        let (offset, map) = declaredMaps[behind - 1]
        return place - offset < maps[map].size ? map : nil
    }

    private func declaredMap(startingAt place: Int) -> Int? {
        declaredMap(at: place).flatMap { maps[$0].offset == place ? $0 : nil }
    }

    private func isText(_ section: Int) -> Bool {
        reader.roles[section] == .program && reader.elf.sections[section].name == ".text"
    }

    /// The function that starts there.
    private func start(in section: Int, at offset: Int) -> Int? {
        guard let index = function(in: section, at: offset), functions[index].offset == offset
        else { return nil }
        return index
    }

    /// The function that contains the byte.
    private func function(in section: Int, at offset: Int) -> Int? {
        // The last one that does not start after it.
        let behind = functions.partitioningIndex {
            ($0.sectionIndex, $0.offset) > (section, offset)
        }
        guard behind > 0 else { return nil }
        let candidate = functions[behind - 1]
        guard candidate.sectionIndex == section, offset - candidate.offset < candidate.code.count
        else { return nil }
        return behind - 1
    }
}
