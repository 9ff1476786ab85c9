// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import BPFObject

/// Files that are not BPF objects, or that libbpf does not accept: each a line that names section,
/// symbol and what to do.
@Suite struct RefusedTests {
    private func refused(_ change: (inout BPFImage) -> Void) -> BPFObjectError? {
        var image = BPFImage()
        change(&image)
        do throws(BPFObjectError) { _ = try image.read() } catch { return error }
        return nil
    }

    private func line(_ change: (inout BPFImage) -> Void) -> String {
        refused(change)?.description ?? "taken"
    }

    @Test func noObject() {
        func line(_ bytes: [UInt8]) -> String {
            do throws(BPFObjectError) { _ = try BPFObject(ByteView(bytes), path: "x.o") } catch {
                return error.description
            }
            return "taken"
        }
        #expect(line([]) == "x.o: not a BPF object: it does not begin with an ELF header")
        #expect(line(Array("text".utf8)).contains("not a BPF object"))
        #expect(line([0x7f, 0x45, 0x4c, 0x46]).contains("x.o: broken ELF header"))
        #expect(
            self.line { $0.machine = 62 }
                == "x.o: not a BPF object: ELF of 64 bits, type 1, machine 62, expected 64 bits, type 1, "
                + "machine 247")
    }

    /// libbpf would take the numbers in the symbols themselves.
    @Test func sectionNumbersBesideSymbols() {
        #expect(
            line { $0.section(".symtab_shndx", [0, 0, 0, 0], type: 18) }.hasPrefix(
                "x.o: .symtab_shndx: the symbols use an extended section index table"))
    }

    @Test func noBTF() {
        let error = refused { image in image.section(".BTF", [1, 2, 3]) }
        #expect(error?.section == ".BTF" && error?.message.contains("no BTF header") == true)
        let stripped = refused { image in image.section(".BTF", type: 8) }
        #expect(stripped?.description == "x.o: .BTF: section has no data (NOBITS)")
        var other = BPFImage(bigEndian: true)
        _ = other.btf.int()
        #expect(
            line { $0.section(".BTF", other.btf.bytes()) }
                == "x.o: .BTF+0x0: its byte order is not the file's")
        #expect(line { _ = $0.btf.pointer(77) }.contains("x.o: .BTF+"))
        #expect(line { image in image.btf.wrap(.const, image.btf.nextID) }.contains("x.o: .BTF+"))
    }

    /// An uninitialised global under old compilers.
    @Test func commonSymbols() {
        let error = refused {
            $0.symbol(.init(name: "counter", value: 4, size: 4, section: 0xfff2))
        }
        #expect(
            error?.description
                == "x.o: .symtab+0x18: 'counter' is a COMMON symbol: a variable without a place in "
                + "any section")
        #expect(error?.hint == "initialise it ('counter = 0'), or compile with -fno-common")
    }

    /// The hint declares the same map.
    @Test(arguments: ["maps", "maps/counts"]) func legacyMaps(section: String) {
        let error = refused { image in
            let bytes = image.encoded32([1, 4, 8, 1024, 2])
            let index = image.section(section, bytes, flags: 3)
            image.symbol(.init(name: "counts", size: 20, section: UInt16(index), type: 1))
        }
        #expect(
            error?.description
                == "x.o: \(section)+0x0: map 'counts' is declared as 'struct bpf_map_def', which libbpf 1.0 and later "
                + "reject")
        #expect(
            error?.hint
                == "struct { __uint(type, 1); __uint(key_size, 4); __uint(value_size, 8); "
                + "__uint(max_entries, 1024); __uint(map_flags, 2); } counts SEC(\".maps\");")
    }

    @Test func legacyMapsWithoutMore() {
        // Nothing says what lies there.
        let bare = refused { $0.section("maps", [UInt8](repeating: 0, count: 28), flags: 3) }
        #expect(
            bare?.description
                == "x.o: maps: maps are declared as 'struct bpf_map_def', which libbpf 1.0 and later reject"
        )
        #expect(bare?.hint?.contains("SEC(\".maps\")") == true)
        // Objects of that time came without BTF, too.
        #expect(
            refused { image in
                image.section(".BTF", [], type: 8)
                image.section("maps/a", [0, 0, 0, 0], flags: 3)
            }?.section == "maps/a")
        // iproute2's, in a section of another name: known by its type.
        let other = refused { image in
            let type = image.btf.structure("bpf_elf_map", size: 20, [("type", image.int, 0)])
            let symbol = image.global("table", size: 20, type: type, in: "tables")
            let program = image.program("p", in: "xdp", [.load(1), .exit])
            image.relocate(program, instruction: 0, to: symbol)
        }
        #expect(other?.message.hasPrefix("map 'table' is declared as") == true)
        #expect(other?.hint?.hasSuffix("table SEC(\".maps\");") == true)
        // A section of code or of nothing is none of maps.
        #expect(line { $0.section("maps/none", type: 8) } == "taken")
        #expect(line { $0.section("mapsize", [0, 0, 0, 0], flags: 3) } == "taken")
    }

    /// Kernels reject BTF that has them in a DATASEC.
    @Test(arguments: [".bss", ".data", ".rodata", ".data.own"]) func variablesWithoutSize(
        section: String
    ) {
        let error = refused { image in
            image.global("some", in: section)
            let array = image.btf.array(image.int, index: image.int, 0)
            image.global("zero", size: 0, type: array, in: section)
        }
        #expect(
            error?.description
                == "x.o: \(section): variable 'zero' (int [0]) has no size: kernels reject the object's BTF"
        )
        #expect(error?.hint == "give 'zero' an element or a member, or remove it")
    }

    @Test func moreVariablesWithoutSize() {
        #expect(line { $0.local("none", size: 0, in: ".bss") }.contains("variable 'none' (int)"))
        // Alone in its section, which is empty then.
        #expect(
            line { image in
                image.global(
                    "void", size: 0, type: image.btf.structure("nothing", size: 0, []), in: ".bss")
            }
                == "x.o: .bss: variable 'void' (struct nothing) has no size: kernels reject the object's BTF"
        )
        // In sections that become no map.
        #expect(
            line { $0.global("tag", size: 0, in: "notes") }.hasPrefix("x.o: notes: variable 'tag'"))
        // Declarations are given a size by libbpf, or by what defines them.
        #expect(line { $0.extern("known", in: ".ksyms", isFunction: true) } == "taken")
    }

    @Test func hiddenMaps() {
        let hidden = refused { image in
            image.map("m", type: 1)
            image.symbols[0].visibility = 2
        }
        #expect(hidden?.description == "x.o: .maps+0x0: map 'm' is hidden")
        #expect(hidden?.hint?.contains("__hidden") == true)
        #expect(
            line { image in
                let type = image.btf.structure("s", size: 8, [("type", image.number(1), 0)])
                image.local("m", size: 8, in: ".maps")
                _ = type
            } == "x.o: .maps+0x0: map 'm' is static")
    }

    @Test func otherAddressSpaces() {
        let error = refused { image in
            let symbol = image.global("x", in: ".addr_space.2")
            let program = image.program("p", in: "xdp", [.load(1), .exit])
            image.relocate(program, instruction: 0, to: symbol)
        }
        #expect(
            error?.message.hasSuffix("in section .addr_space.2, which is not a data section")
                == true)
        #expect(error?.hint?.contains("address_space(1)") == true)
    }

    @Test func relocationsToUnknownSections() {
        let error = refused { image in
            let symbol = image.global("key", in: "secrets")
            let program = image.program("p", in: "xdp", [.move(0, 0), .load(1), .exit])
            image.relocate(program, instruction: 1, to: symbol)
        }
        #expect(
            error?.description
                == "x.o: xdp+0x8: function 'p' refers to 'key' in section secrets, which is not a data section"
        )
        #expect(error?.hint?.contains("SEC(\".data.secrets\")") == true)
        let empty = refused { image in
            let section = image.section(".data")
            let symbol = image.symbol(.init(name: "x", section: UInt16(section), type: 1))
            image.relocate(image.program("p", in: "xdp", [.load(1)]), instruction: 0, to: symbol)
        }
        #expect(empty?.hint == "the section is empty")
    }

    @Test func programs() {
        #expect(
            line { $0.program("p", in: "xdp", isStatic: true) }
                == "x.o: xdp+0x0: program 'p' is static")
        #expect(
            line { image in
                image.program("p", in: "xdp")
                image.symbols[0].size = 12
            }.contains(
                "function 'p' of 12 bytes does not consist of instructions inside the section"))
        #expect(
            line { image in
                image.program("p", in: "xdp")
                image.symbols[0].size = 24
            }.contains(
                "function 'p' of 24 bytes does not consist of instructions inside the section"))
        #expect(
            line { image in
                image.program("p", in: "xdp")
                image.program("q", in: "xdp")
                image.symbols[1].value = 8
            } == "x.o: xdp+0x8: function 'q' overlaps function 'p'")
    }

    @Test func references() {
        func line(
            _ instructions: [BPFImage.Instruction], at number: Int = 0,
            _ symbol: (inout BPFImage) -> Int
        ) -> String {
            self.line { image in
                let symbol = symbol(&image)
                let program = image.program("p", in: "xdp", instructions)
                image.relocate(program, instruction: number, to: symbol)
            }
        }
        let data: (inout BPFImage) -> Int = { $0.global("x", in: ".data") }
        #expect(
            line([.move(0, 0), .exit], data)
                == "x.o: xdp+0x0: function 'p' refers to 'x' in an instruction with opcode 0xb7, expected a call or "
                + "a 64-bit load")
        #expect(
            line([.load(1, 4)], data).hasSuffix("refers to offset 4 of .data, which has 4 bytes"))
        #expect(
            line([.load(1, -1)], data).hasSuffix("refers to offset -1 of .data, which has 4 bytes"))
        #expect(
            line([.call()]) { $0.program("other", in: "tc").symbol }
                == "x.o: xdp+0x0: function 'p' calls 'other' in section tc")
        #expect(
            line([.call(4)]) { $0.program("f", in: ".text").symbol }.hasSuffix(
                "where no function starts"))
        #expect(
            line([.load(1, 8)]) { image in
                image.program("f", in: ".text")
                return image.symbol(ofSection: ".text")
            }.hasSuffix(
                "where no function starts"))
        #expect(
            line([.load(1)]) { $0.symbol(.init(name: "a", section: 0xfff1, binding: 0)) }
                .hasSuffix("refers to 'a', which is in no section"))
        #expect(
            line([.load(1)]) { image in
                image.map("m", type: 1)
                image.symbols[0].value = 8
                return 1
            } == "x.o: .maps+0x8: variable 'm' of 32 bytes extends past the section (32 bytes)")
        #expect(
            self.line { $0.program("p", in: "xdp", [.call(0), .exit]) }
                == "x.o: xdp+0x0: function 'p' calls an address where no function starts")
        #expect(
            self.line { image in
                let symbol = image.extern("f", in: ".ksyms", isFunction: true)
                let program = image.program("p", in: "xdp", [.load(1), .exit])
                image.sections[program.section - 1].bytes[8] = 0x85
                image.relocations[program.section] = [(8, symbol)]
            }.hasSuffix("function 'p' has a relocation in the middle of an instruction"))
        #expect(
            self.line { image in
                let symbol = image.global("x", in: ".data")
                let program = image.program("p", in: "xdp", [.load(1), .exit])
                image.relocations[program.section] = [(0, symbol), (0, symbol)]
            }.hasSuffix("function 'p' has two relocations in one instruction"))
        #expect(
            self.line { image in
                let symbol = image.global("x", in: ".data")
                let program = image.program("p", in: "xdp", [.exit, .load(1)])
                // The function ends within the load.
                image.symbols[program.symbol - 1].size = 16
                image.relocate(program, instruction: 1, to: symbol)
            }.hasSuffix("function 'p' ends within the instruction that loads 'x'"))
        #expect(
            self.line { image in
                let program = image.program("p", in: "xdp", [.load(1)])
                image.relocations[program.section] = [(0, 77)]
            } == "x.o: .relxdp+0x0: symbol 77 does not exist (of 2)")
        #expect(
            self.line { image in
                let symbol = image.global("x", in: ".data")
                let program = image.program("p", in: "xdp", [.load(1)])
                image.relocations[program.section] = [(16, symbol)]
            } == "x.o: .relxdp+0x0: offset 0x10 is not a word inside the section (size 16)")
    }

    @Test func licenses() {
        for bytes in [[], [0], [7, 0], [UInt8](repeating: 65, count: 64)] as [[UInt8]] {
            let error = refused { image in
                image.sections[0].bytes = bytes
            }
            #expect(error?.section == "license" && error?.hint != nil)
        }
        #expect(line { $0.section("version", [1, 2]) } == "x.o: version: 2 bytes, expected 4")
    }

    @Test func kconfigOfOtherTypes() {
        let error = refused { image in
            let record = image.btf.structure("s", size: 4, [("x", image.int, 0)])
            image.extern("CONFIG_X", type: record, in: ".kconfig")
        }
        #expect(
            error?.description
                == "x.o: .kconfig: 'CONFIG_X' has a type that no configuration value has")
    }

    /// A hostile file has as many symbols as it likes, with one name of a megabyte for all.
    @Test func longNames() {
        #expect(processorSeconds(readLongNames) < 60)
    }

    private func readLongNames() {
        let name = String(repeating: "a", count: 1 << 20)
        #expect(line { $0.program(name, in: "xdp") }.contains("no name of at most 511 bytes"))
        #expect(line { $0.global(name, in: ".data") }.utf8.count < 400)
        var image = BPFImage()
        for number in 0..<70_000 { image.program("f\(number % 10)", in: "xdp", [.exit]) }
        let error = #expect(throws: BPFObjectError.self) { try image.read() }
        #expect(error?.message == "more than 65535 functions")
    }

    /// libbpf's linker crashes at them.
    @Test(arguments: [UInt16(0xff00), 0xfff1, 0xffff]) func globalsInNoSection(section: UInt16) {
        var image = BPFImage()
        let symbol = image.global("x", in: ".data")
        image.symbols[symbol - 1].section = section
        let error = #expect(throws: BPFObjectError.self) { try image.read() }
        #expect(error?.section == ".symtab" && error?.offset == symbol * 24)
    }
}
