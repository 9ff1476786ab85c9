// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import BPFObject

extension BPFImage {
    func read() throws(BPFObjectError) -> BPFObject { try BPFObject(view(), path: "x.o") }
}

/// What is in an object, in both byte orders.
@Suite struct ObjectTests {
    static let orders = [false, true]

    @Test(arguments: orders) func licenseAndVersion(bigEndian: Bool) throws {
        var image = BPFImage(bigEndian: bigEndian, license: "Dual BSD/GPL")
        image.section("version", bigEndian ? [0, 6, 1, 9] : [9, 1, 6, 0])
        let object = try image.read()
        #expect(object.license == "Dual BSD/GPL")
        #expect(object.kernelVersion == 0x60109)
        #expect(object.isBigEndian == bigEndian)
        #expect(try BPFImage(license: nil).read().license == nil)
    }

    @Test(arguments: orders) func programs(bigEndian: Bool) throws {
        var image = BPFImage(bigEndian: bigEndian)
        image.program("second", in: "lsm.s/file_open")
        image.program("helper", in: ".text", isStatic: true)
        image.program("third", in: "lsm.s/file_open")
        image.program("optional", in: "?fexit/do_exit")
        let object = try image.read()
        #expect(object.functions.map(\.name) == ["second", "third", "helper", "optional"])
        #expect(object.programs.map(\.name) == ["second", "third", "optional"])
        let lsm = object.functions[1]
        #expect(lsm.offset == 16 && lsm.code.count == 16 && lsm.target == "file_open")
        #expect(lsm.kind?.type == .lsm && lsm.kind?.isSleepable == true)
        let optional = object.functions[3]
        #expect(!optional.isAutoloaded && optional.sectionName == "fexit/do_exit")
        #expect(optional.target == "do_exit" && optional.kind?.attachType == .traceFexit)
        #expect(object.functions[2].isStatic && object.functions[2].isSubprogram)
    }

    /// libbpf takes functions in `.text` for called ones only when there are others.
    @Test func aFunctionAlone() throws {
        var image = BPFImage()
        image.program("alone", in: ".text")
        #expect(try image.read().programs.map(\.name) == ["alone"])
    }

    /// The offset of a static variable is in the instruction, that of a global one in its symbol.
    @Test(arguments: orders) func staticAndGlobalVariables(bigEndian: Bool) throws {
        var image = BPFImage(bigEndian: bigEndian)
        _ = image.global("first", in: ".data")
        let global = image.global("global", in: ".data")
        let hidden = image.local("hidden", in: ".data")
        let zero = image.local("zero", in: ".bss")
        _ = image.global("last", in: ".bss")
        let program = image.program(
            "p", in: "xdp", [.load(1), .load(2, hidden), .load(3, zero), .exit])
        image.relocate(program, instruction: 0, to: global)
        image.relocate(program, instruction: 1, to: image.symbol(ofSection: ".data"))
        image.relocate(program, instruction: 2, to: image.symbol(ofSection: ".bss"))
        let object = try image.read()
        #expect(object.maps.map(\.name) == [".data", ".bss"])
        #expect(
            object.functions[0].references == [
                .init(instruction: 0, target: .data(map: 0, offset: 4)),
                .init(instruction: 2, target: .data(map: 0, offset: 8)),
                .init(instruction: 4, target: .data(map: 1, offset: 0)),
            ])
        let data = try #require(object.maps[0].contents)
        #expect(data.variables.map(\.name) == ["first", "global", "hidden"])
        #expect(data.variables.map(\.offset) == [0, 4, 8])
        #expect(data.variables.map(\.isStatic) == [false, false, true])
        #expect(data.bytes?.array == [UInt8](repeating: 7, count: 12))
        let bss = try #require(object.maps[1].contents)
        #expect(bss.kind == .zero && bss.size == 8 && bss.bytes == nil)
        #expect(bss.variables.map(\.offset) == [0, 4])
    }

    /// A linker has filled in what a compiler leaves to symbols; libbpf's sometimes something else.
    @Test func linkedVariables() throws {
        var image = BPFImage()
        image.global("a", in: ".data")
        image.datasecSizes[".data"] = 4
        #expect(try image.read().maps[0].contents?.variables[0].offset == 0)
        image.symbols[0].value = 3
        let error = #expect(throws: BPFObjectError.self) { try image.read() }
        #expect(
            error?.description
                == "x.o: .data+0x3: variable 'a' is at 0 in its DATASEC, but not in its symbol")
    }

    @Test func sectionsOfData() throws {
        var image = BPFImage()
        image.global("set", in: ".data")
        image.global("constant", in: ".rodata")
        image.global("own", in: ".data.mine")
        image.global("zero", in: ".bss.mine")
        image.section(".rodata.str1.1", Array("text".utf8) + [0], flags: 0x32)
        image.global("inner", in: ".data.hidden", visibility: 2)
        image.section(".data.empty")
        image.section(".comment", [1, 2, 3])
        let maps = try image.read().maps
        #expect(
            maps.map(\.name) == [
                ".data", ".rodata", ".data.mine", ".bss.mine", ".rodata.str1.1", ".data.hidden",
            ])
        // BPF_F_MMAPABLE where there is something to be seen, BPF_F_RDONLY_PROG for constants.
        #expect(maps.map(\.definition.flags) == [1024, 1152, 1024, 1024, 128, 0])
        #expect(maps.map(\.definition.valueSize) == [4, 4, 4, 4, 5, 4])
        #expect(maps.allSatisfy { $0.isInternal && $0.definition.type == MapType.array })
        #expect(maps[4].contents?.bytes?.array == Array("text\0".utf8))
        #expect(maps[4].definition.valueType == nil && maps[3].definition.valueType != nil)
    }

    @Test(arguments: orders) func callsAndAddresses(bigEndian: Bool) throws {
        var image = BPFImage(bigEndian: bigEndian)
        let visible = image.program("visible", in: ".text", [.call(0), .exit, .exit])
        image.program("quiet", in: ".text", isStatic: true)
        let program = image.program(
            "p", in: "xdp", [.call(-1), .call(2), .load(1), .load(2, 24), .exit])
        let text = image.symbol(ofSection: ".text")
        image.relocate(program, instruction: 0, to: visible.symbol)
        // Of a static function the instruction has the distance from the section's start.
        image.relocate(program, instruction: 1, to: text)
        image.relocate(program, instruction: 2, to: visible.symbol)
        image.relocate(program, instruction: 3, to: text)
        // A near call needs no relocation: from instruction 0 to 3.
        image.sections[visible.section - 1].bytes.replaceSubrange(
            0..<8, with: image.encoded([.call(2)]))
        let object = try image.read()
        #expect(object.functions.map(\.name) == ["visible", "quiet", "p"])
        #expect(
            object.functions[2].references == [
                .init(instruction: 0, target: .call(function: 0)),
                .init(instruction: 1, target: .call(function: 1)),
                .init(instruction: 2, target: .address(function: 0)),
                .init(instruction: 4, target: .address(function: 1)),
            ])
        #expect(
            object.functions[0].references == [
                .init(instruction: 0, target: .call(function: 1))
            ])
    }

    /// The order is libbpf's: by alignment, size and name; it says where each lies in the map.
    @Test func externs() throws {
        var image = BPFImage()
        let bool = image.btf.int("_Bool", size: 1, encoding: IntEncoding.bool)
        let long = image.btf.int("long", size: 8)
        let char = image.btf.int("char", size: 1)
        let text = image.btf.array(char, index: image.int, 9)
        let state = image.btf.enumeration("libbpf_tristate", [("TRI_NO", 0)])
        let record = image.btf.structure("rq", size: 4, [("x", image.int, 0)])
        let kfunc = image.extern("bpf_go", in: ".ksyms", isFunction: true)
        let typeless = image.extern(
            "bare", type: image.btf.wrap(.const, 0), in: ".ksyms", isWeak: true)
        let typed = image.extern("runqueues", type: record, in: ".ksyms")
        image.extern("CONFIG_B", type: bool, in: ".kconfig")
        image.extern("CONFIG_NAME", type: text, in: ".kconfig")
        image.extern("CONFIG_STATE", type: state, in: ".kconfig", isWeak: true)
        image.extern("CONFIG_LONG", type: long, in: ".kconfig")
        image.extern("CONFIG_A", in: ".kconfig")
        let other = image.extern("elsewhere", in: nil)
        let program = image.program(
            "p", in: "xdp", [.call(), .load(1), .load(2), .load(3), .exit])
        for (number, symbol) in [kfunc, typeless, typed, other].enumerated() {
            image.relocate(program, instruction: number, to: symbol)
        }
        let object = try image.read()
        let kconfig = object.externs.prefix(5)
        #expect(
            kconfig.map(\.name) == [
                "CONFIG_LONG", "CONFIG_A", "CONFIG_STATE", "CONFIG_B", "CONFIG_NAME",
            ])
        let places = kconfig.map { extern -> Int in
            if case .kconfig(_, let offset) = extern.kind { offset } else { -1 }
        }
        #expect(places == [0, 8, 12, 16, 17])
        #expect(object.maps.last?.name == ".kconfig" && object.maps.last?.contents?.size == 26)
        #expect(object.externs[2].isWeak && !object.externs[1].isWeak)
        #expect(
            object.externs.dropFirst(5).map(\.name) == ["bare", "bpf_go", "runqueues", "elsewhere"])
        #expect(
            object.externs.dropFirst(5).map(\.kind) == [
                .kernelVariable(isTyped: false), .kernelFunction, .kernelVariable(isTyped: true),
                .unresolved,
            ])
        #expect(
            object.functions[0].references.map(\.target) == [
                .externalCall(6), .externalVariable(5), .externalVariable(7), .externalVariable(8),
            ])
    }

    /// What a linker leaves of a weak function that another one replaced belongs to none.
    @Test func codeOfNoFunction() throws {
        var image = BPFImage()
        let data = image.global("x", in: ".data")
        let dead = image.program("dead", in: "xdp", [.load(1), .exit])
        image.program("live", in: "xdp")
        image.relocate(dead, instruction: 0, to: data)
        image.symbols[dead.symbol - 1].type = 0
        #expect(try image.read().functions.map(\.name) == ["live"])
    }

    @Test func definitions() throws {
        var image = BPFImage()
        image.global("LICENSE", in: "license")
        image.global("shared", in: ".data")
        image.local("own", in: ".data")
        image.program("weak", in: ".text", isWeak: true)
        image.extern("elsewhere", in: nil)
        #expect(
            try image.read().definitions == [
                .init(name: "shared", section: ".data", offset: 0, isWeak: false),
                .init(name: "weak", section: ".text", offset: 0, isWeak: true),
            ])
    }
}
