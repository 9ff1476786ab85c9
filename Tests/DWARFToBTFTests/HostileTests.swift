// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import TestSupport
import Testing

extension DWARFAssembler {
    /// A unit of more bytes than the fast ways of reading keep off the end of a section.
    mutating func padding(_ bytes: Int = 1200) {
        unit([
            .language(12),
            DWARFAttribute(.producer, .string, .text(String(repeating: "p", count: bytes))),
        ])
    }
}

/// Debug information made to be read wrongly, or never to the end.
@Suite struct HostileTests {
    private func fault(
        _ asm: DWARFAssembler, image change: (inout DWARFImage) -> Void = { _ in }
    ) -> String {
        do {
            return "no fault: \(try encoded(asm, image: change).lines)"
        } catch {
            return "\(error)"
        }
    }

    // MARK: Names

    /// The greatest offset there is stands for "no name" and for "nothing known" inside.
    @Test func nameAtTheGreatestOffset() {
        let name = DWARFAttribute(.name, .strp, .number(0xffff_ffff))
        for children in [DWARF.Tag.member, .enumerator, .formalParameter] {
            var asm = unit { unit in
                let parent: DWARF.Tag =
                    children == .member
                    ? .structureType : children == .enumerator ? .enumerationType : .subroutineType
                unit.add(parent, [.byteSize(4)]) { unit in
                    unit.add(children, [name] + (children == .enumerator ? [] : [.type("int")]))
                }
            }
            asm.padding()
            #expect(fault(asm).contains("name at string offset 0xffffffff is not terminated"))
        }
        // Where values are not of fixed size, another way is taken.
        let places: [(DWARF.Tag, DWARF.Tag, DWARFAttribute)] = [
            (.enumerationType, .enumerator, DWARFAttribute(.constValue, .sdata, .number(5))),
            (.structureType, .member, DWARFAttribute(.dataMemberLocation, .udata, .number(5))),
        ]
        for (parent, children, number) in places {
            var asm = unit { unit in
                unit.add(parent, [.byteSize(4)]) { unit in
                    unit.add(
                        children, [name, number] + (children == .member ? [.type("int")] : []))
                }
            }
            asm.padding()
            #expect(fault(asm).contains("name at string offset 0xffffffff is not terminated"))
        }
        let typedef = unit { $0.add(.typedef, [name, .type("int")]) }
        #expect(fault(typedef).contains("name at string offset 0xffffffff is not terminated"))
    }

    /// The same among members that are compared with those of a struct read before.
    @Test func nameAtTheGreatestOffsetOfAKnownMember() {
        var asm = unit { unit in
            for form in [nil, DWARFAttribute(.name, .strp, .number(0xffff_ffff))] {
                unit.add(.structureType, [.name("s"), .byteSize(4)]) { unit in
                    unit.add(.member, (form.map { [$0] } ?? []) + [.type("int")])
                }
            }
        }
        asm.padding()
        #expect(fault(asm).contains("name at string offset 0xffffffff is not terminated"))
    }

    /// Short names that kernels refuse, also those that are read the fast ways.
    @Test func shortNamesOfOtherBytes() throws {
        for padding in [1, 1200] {
            var asm = unit { unit in
                unit.add(.structureType, [.name("s"), .byteSize(4)]) { unit in
                    unit.add(
                        .member, [DWARFAttribute(.name, .string, .text("QQ")), .type("int")])
                }
            }
            asm.padding(padding)
            let outcome = try encoded(asm) { image in
                image.sections[0].bytes = image.sections[0].bytes.map { $0 == 0x51 ? 0xe4 : $0 }
            }
            let record = try #require(outcome.btf.ownRecords.first { $0.name == "s" })
            #expect(outcome.btf.stringBytes(at: record.element(0, 0)).isEmpty)
            #expect(outcome.ledger.count == 1 && outcome.ledger[0].hasSuffix(": invalid-name"))
        }
    }

    /// However near names come to what all of them may take, none is lost without a word.
    @Test func namesUpToTheLimit() throws {
        let length = 4000
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: length) + [0]
        // Every integer is called by an end of one text.
        func file(_ offsets: [Int]) -> DWARFAssembler {
            var asm = DWARFAssembler(DWARFFlavor(version: 4))
            asm.unit([.language(12)]) { unit in
                unit.add(
                    .baseType, "int",
                    [DWARFAttribute(.name, .string, .text("int")), .byteSize(4), .encoding(5)])
                for offset in offsets {
                    unit.add(
                        .baseType,
                        [
                            DWARFAttribute(.name, .strp, .number(UInt64(offset))), .byteSize(4),
                            .encoding(7),
                        ])
                }
                unit.add(.structureType, [.byteSize(4)]) { unit in
                    unit.add(
                        .member, [DWARFAttribute(.name, .string, .text("zz")), .type("int")])
                }
            }
            asm.padding()
            return asm
        }
        let count = 400
        let info = try encodedInfo(file(Array(repeating: 0, count: count)))
        let limit = (1 << 20) + 8 * (info + text.count + 1)
        let fixed = 1 + 4 + 12 + 13 + 13  // "", int, long double, btf_type_tag, btf_decl_tag
        var outcomes: Set<String> = []
        for left in [1, 5] {
            var rest = limit - fixed - left
            var offsets: [Int] = []
            while rest > length - offsets.count + 1 + 2 {
                rest -= length - offsets.count + 1
                offsets.append(offsets.count)
            }
            offsets.append(length - (rest - 1))
            try #require(offsets.count <= count)
            offsets += Array(repeating: 0, count: count - offsets.count)
            let result = fault(file(offsets)) { image in
                let index = image.sections.firstIndex { $0.name == ".debug_str" }
                if let index {
                    image.sections[index].bytes = text
                } else {
                    image.section(".debug_str", text)
                }
            }
            if result.contains("zz: int @0") {
                outcomes.insert("named")
            } else {
                outcomes.insert("refused")
                #expect(result.contains("names overlap"), "\(left): \(result.suffix(100))")
            }
        }
        #expect(outcomes == ["named", "refused"])
    }

    private func encodedInfo(_ asm: DWARFAssembler) throws -> Int { try asm.data().info.count }

    /// Most functions of a file may have no debug information.
    @Test func moreSymbolsThanDebugInformation() throws {
        var asm = unit { $0.add(.subprogram, [.name("f"), .type("int")]) }
        asm.padding()
        let outcome = try encoded(asm) { image in
            let tail = String(repeating: "x", count: 60)
            for number in 0..<20_000 { image.function("function\(number)\(tail)", at: 0) }
            image.function("f", at: 0)
        }
        #expect(outcome.line("f") == "func f: () -> int")
    }

    /// Most names of a file may be in the dwz file beside it.
    @Test func moreNamesInTheDwzFile() throws {
        var shared = DWARFAssembler()
        shared.unit([.language(12)], sort: .partial) { unit in
            unit.int()
            let tail = String(repeating: "x", count: 60)
            for number in 0..<20_000 {
                unit.add(.typedef, [.name("type\(number)\(tail)"), .type("int")])
            }
        }
        let alternate = try DWARFData(shared.image().file())
        let int = try #require(shared.offsets["int"])
        var own = DWARFAssembler()
        own.unit([.language(12)]) { unit in
            unit.add(
                .typedef,
                [.name("t"), DWARFAttribute(.type, .gnuRefAlt, .number(UInt64(int)))])
        }
        let elf = try own.image().file()
        let result = try encode(
            elf, DWARFData(elf, alternate: alternate), base: nil, options: EncodeOptions())
        #expect(result.typeCount == 20_002)
    }

    // MARK: Few bytes that lead to much

    /// Many that refer to one long chain of annotations: as many tags as the one number times the
    /// other.
    @Test func sharedAnnotations() throws {
        func file(_ chain: Int, _ structs: Int) -> DWARFAssembler {
            unit(DWARFFlavor()) { unit in
                for index in 0..<chain {
                    unit.add(
                        .gnuAnnotation, "a\(index)",
                        [
                            .name("btf_decl_tag"),
                            DWARFAttribute(.constValue, .string, .text("tag\(index)")),
                        ]
                            + (index == 0
                                ? []
                                : [DWARFAttribute(.gnuAnnotation, .ref4, .entry("a\(index - 1)"))])
                    )
                }
                for index in 0..<structs {
                    unit.add(
                        .structureType,
                        [
                            .name("s\(index)"), .byteSize(4),
                            DWARFAttribute(.gnuAnnotation, .ref4, .entry("a\(chain - 1)")),
                        ])
                }
            }
        }
        #expect(try encoded(file(4, 20)).count(.declTag) == 80)
        #expect(fault(file(400, 400)).contains("annotations"))
    }

    /// `_Atomic` of `_Atomic` ...: each use would go all the way.
    @Test func longAliases() throws {
        func file(_ count: Int) -> DWARFAssembler {
            unit { unit in
                for index in 0..<count {
                    unit.add(
                        .atomicType, "a\(index)", [.type(index == 0 ? "int" : "a\(index - 1)")])
                }
                unit.add(.typedef, [.name("t"), .type("a\(count - 1)")])
            }
        }
        #expect(try encoded(file(200)).line("t") == "typedef t: int")
        #expect(fault(file(5000)).contains("needs too many steps"))
    }

    /// Functions that take functions that take functions ...: as many comparisons as parameters to
    /// the power of the depth.
    @Test func functionsThatTakeFunctions() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        for number in 0..<2 {
            asm.unit([.language(12)]) { unit in
                // One name, and nothing else in common.
                unit.add(
                    .structureType, "s\(number)", [.name("s"), .byteSize(UInt64(4 + 4 * number))])
                var last = "s\(number)"
                for level in 0..<7 {
                    unit.add(.subroutineType, "f\(number).\(level)", [.prototyped]) { unit in
                        for _ in 0..<30 { unit.add(.formalParameter, [.type(last)]) }
                    }
                    unit.add(
                        .pointerType, "p\(number).\(level)", [.type("f\(number).\(level)")])
                    last = "p\(number).\(level)"
                }
                unit.add(.subprogram, [.name("f"), .type(last)])
            }
        }
        let outcome = try encoded(asm, image: { $0.function("f", at: 0) })
        #expect(outcome.count(.func) == 1)
    }

    /// Units whose tables of abbreviations are ends of one long table.
    @Test func overlappingAbbreviations() throws {
        // Declarations of six bytes each, with rising codes of two bytes.
        let count = 2000
        var table: [UInt8] = []
        for code in 0..<count {
            let code = 128 + code
            table += [UInt8(code & 0x7f | 0x80), UInt8(code >> 7), 0x11, 0, 0, 0]
        }
        table.append(0)
        var info: [UInt8] = []
        for number in 0..<count {
            let code = 128 + number
            let at = 6 * number
            info += [9, 0, 0, 0, 4, 0]
            info += (0..<4).map { UInt8(truncatingIfNeeded: at >> (8 * $0)) }
            info += [8, UInt8(code & 0x7f | 0x80), UInt8(code >> 7)]
        }
        var image = DWARFImage()
        image.section(".debug_info", info)
        image.section(".debug_abbrev", table)
        let file = try image.file()
        #expect(throws: EncodeError.self) { try encoded(file) }
        do {
            _ = try encoded(file)
        } catch {
            #expect("\(error)".contains(".debug_abbrev"))
            #expect("\(error)".contains("over and over"))
        }
    }

    /// Parameters whose locations are one long list.
    @Test func sharedLocations() throws {
        func file(_ functions: Int) -> DWARFAssembler {
            var asm = unit(DWARFFlavor()) { unit in
                for _ in 0..<functions {
                    unit.add(.subprogram, [.name("f")]) { unit in
                        unit.add(
                            .formalParameter,
                            [
                                .name("p"), .type("int"),
                                DWARFAttribute(.location, .secOffset, .number(0)),
                            ])
                    }
                }
            }
            asm.loclists = (0..<20_000).flatMap { _ in [UInt8(5), 1, 0x30] } + [0]
            return asm
        }
        func result(_ functions: Int) -> String {
            fault(file(functions)) { $0.function("f", at: 0) }
        }
        #expect(result(10).contains("func f"))
        #expect(result(400).contains("over and over"))
    }

    @Test func attributesWithoutEnd() {
        let attribute = DWARFAttribute(Attribute(rawValue: 0x3f00), .flagPresent, .number(1))
        let asm = unit { $0.add(.variable, Array(repeating: attribute, count: 70_000)) }
        #expect(fault(asm).contains("attributes"))
    }

    /// The table of symbols says that it is larger than the file, and than any memory.
    @Test(arguments: [UInt64(1) << 40, 1 << 62, .max]) func hugeSymbolTable(_ size: UInt64) throws {
        let asm = unit { $0.add(.typedef, [.name("t"), .type("int")]) }
        var image = asm.image()
        image.function("f", at: 0)
        var bytes = image.bytes()
        let headers = bytes[0x28..<0x30].reversed().reduce(0) { $0 << 8 | Int($1) }
        // .symtab is the third from the end.
        let symtab = headers + 64 * (Int(bytes[0x3c]) - 3)
        #expect(bytes[symtab + 4] == 2)
        for index in 0..<8 {
            bytes[symtab + 32 + index] = UInt8(truncatingIfNeeded: size >> UInt64(8 * index))
        }
        let elf = try ELFFile(ByteView(bytes), path: "test.o")
        #expect(throws: EncodeError.self) { try encoded(elf) }
    }

    // MARK: Types that look alike

    /// Calls `add` for `count` types of one unit; a store that allows few comparisons must say so.
    private func absorbFault(
        _ count: Int, _ add: (inout TypeWriter, Int) -> Void
    ) throws -> String {
        let names = NamePool(base: nil)
        // Types called by the first few bytes of the strings are found otherwise.
        _ = names.intern("something in front of all names")
        var types = TypeWriter(names: names)
        for number in 0..<count { add(&types, number) }
        types.seal()
        var store = TypeStore(base: nil, names: names, hashMask: .max, budget: 0)
        do {
            try store.absorb(types)
            return "no fault"
        } catch { return error.description }
    }

    @Test func enumsOfOneName() throws {
        func fault(_ count: Int) throws -> String {
            try absorbFault(count) { types, number in
                let name = types.names.intern("e")
                types.begin(name: name, info: TypeInfo(.enum, vlen: 1), third: 4)
                types.append(types.names.intern("v"), UInt32(number))
            }
        }
        #expect(try fault(100) == "no fault")
        #expect(try fault(3000).contains("look alike"))
    }

    @Test func structsOfOneName() throws {
        func fault(_ count: Int) throws -> String {
            try absorbFault(count) { types, number in
                types.add(.struct, name: types.names.intern("s"), third: UInt32(number))
            }
        }
        #expect(try fault(100) == "no fault")
        #expect(try fault(3000).contains("look alike"))
    }

    /// As each tracepoint of a kernel has one: alike but for the name of a typedef.
    @Test func unnamedUnions() throws {
        let fault = try absorbFault(3000) { types, number in
            let pointer = types.add(.ptr, third: 0)
            let typedef = types.add(
                .typedef, name: types.names.intern("handler_\(number)"), third: pointer)
            types.begin(name: 0, info: TypeInfo(.union, vlen: 2), third: 8)
            types.append(types.names.intern("event"), pointer, 0)
            types.append(types.names.intern("handler"), typedef, 0)
        }
        #expect(fault == "no fault")
    }

    @Test func tagsOfOneType() throws {
        func fault(_ count: Int) throws -> String {
            try absorbFault(count) { types, number in
                let target =
                    number == 0
                    ? types.add(.struct, name: types.names.intern("s"), third: 4)
                    : TypeWriter.unstored
                types.add(.declTag, name: types.names.intern("tag"), third: target)
                types.append(UInt32(number))
            }
        }
        #expect(try fault(100) == "no fault")
        #expect(try fault(3000).contains("look alike"))
    }
}
