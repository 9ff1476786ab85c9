// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes

/// Puts a BPF object together as clang lays it out, in either byte order. Nothing is checked.
///
///     var image = BPFImage()
///     let counter = image.global("counter", size: 4, in: ".data")
///     let code = image.program("hook", in: "lsm/file_open", [.load(1), .exit])
///     image.relocate(code, instruction: 0, to: counter)
///     let object = try BPFObject(ByteView(image.bytes()), path: "x.o")
package struct BPFImage {
    package struct Section {
        package var name: String
        package var type: UInt32 = 1
        package var flags: UInt64 = 0
        package var bytes: [UInt8] = []
        /// Of a section without bytes.
        package var size: UInt64?
        package var alignment: UInt64 = 8
        package var info: UInt32 = 0
    }

    package struct Symbol {
        package var name: String
        package var value: UInt64 = 0
        package var size: UInt64 = 0
        /// 0xfff2 is COMMON.
        package var section: UInt16 = 0
        package var type: UInt8 = 0
        package var binding: UInt8 = 1
        package var visibility: UInt8 = 0

        package init(
            name: String, value: UInt64 = 0, size: UInt64 = 0, section: UInt16 = 0,
            type: UInt8 = 0, binding: UInt8 = 1, visibility: UInt8 = 0
        ) {
            self.name = name
            self.value = value
            self.size = size
            self.section = section
            self.type = type
            self.binding = binding
            self.visibility = visibility
        }
    }

    package struct Instruction {
        var code: UInt8
        var registers: (target: UInt8, source: UInt8) = (0, 0)
        var offset: Int16 = 0
        var immediate: Int32 = 0
        var isLong = false

        /// `target = immediate`, of 64 bits; two instructions long.
        package static func load(_ target: UInt8, _ immediate: Int32 = 0) -> Instruction {
            Instruction(code: 0x18, registers: (target, 0), immediate: immediate, isLong: true)
        }
        /// A call of a function, `immediate` instructions behind the next.
        package static func call(_ immediate: Int32 = -1) -> Instruction {
            Instruction(code: 0x85, registers: (0, 1), immediate: immediate)
        }
        /// `target = source`, of 64 bits.
        package static func copy(_ target: UInt8, _ source: UInt8) -> Instruction {
            Instruction(code: 0xbf, registers: (target, source))
        }
        /// Skips `count` instructions if the register is zero.
        package static func jumpIfZero(_ register: UInt8, _ count: Int16) -> Instruction {
            Instruction(code: 0x15, registers: (register, 0), offset: count)
        }
        /// A call of a function of the kernel by its number.
        package static func helper(_ number: Int32) -> Instruction {
            Instruction(code: 0x85, immediate: number)
        }
        package static func move(_ target: UInt8, _ immediate: Int32) -> Instruction {
            Instruction(code: 0xb7, registers: (target, 0), immediate: immediate)
        }
        package static var exit: Instruction { Instruction(code: 0x95) }
    }

    package let bigEndian: Bool
    package var btf: BTFAssembler
    package var sections: [Section] = []
    package var symbols: [Symbol] = []
    package var machine: UInt16 = 247
    /// By section: bytes from its start, symbol.
    package var relocations: [Int: [(place: UInt64, symbol: Int)]] = [:]
    /// By section, with types of their own.
    package var typedRelocations: [Int: [(place: UInt64, symbol: Int, type: UInt32)]] = [:]
    /// For `.BTF`: DATASEC name to its entries.
    private var datasecs: [(name: String, entries: [(UInt32, UInt32, UInt32)])] = []
    /// Sizes that a linker has filled in.
    package var datasecSizes: [String: UInt32] = [:]
    package var extended: [UInt8]?

    package init(bigEndian: Bool = false, license: String? = "GPL") {
        self.bigEndian = bigEndian
        btf = BTFAssembler(bigEndian: bigEndian)
        _ = btf.int()
        if let license { section("license", Array(license.utf8) + [0], flags: 3) }
    }

    /// The number of the int that every image has.
    package let int: UInt32 = 1

    /// Adds a section and gives its number.
    @discardableResult
    package mutating func section(
        _ name: String, _ bytes: [UInt8] = [], type: UInt32 = 1, flags: UInt64 = 2
    ) -> Int {
        sections.append(Section(name: name, type: type, flags: flags, bytes: bytes))
        return sections.count
    }

    /// The number of the section with that name, which is created if missing.
    package mutating func place(_ name: String, type: UInt32 = 1, flags: UInt64 = 3) -> Int {
        if let index = sections.firstIndex(where: { $0.name == name }) { return index + 1 }
        return section(name, type: type, flags: flags)
    }

    /// Adds a symbol and gives its number.
    @discardableResult
    package mutating func symbol(_ symbol: Symbol) -> Int {
        symbols.append(symbol)
        return symbols.count
    }

    /// The symbol that stands for a section.
    package mutating func symbol(ofSection name: String) -> Int {
        let section = UInt16(place(name))
        return symbol(Symbol(name: "", section: section, type: 3, binding: 0))
    }

    package func encoded(_ instructions: [Instruction]) -> [UInt8] {
        var writer = ByteWriter(bigEndian: bigEndian)
        for it in instructions {
            writer.put(it.code)
            let (target, source) = it.registers
            writer.put(bigEndian ? target << 4 | source : source << 4 | target)
            writer.put(UInt16(bitPattern: it.offset))
            writer.put(UInt32(bitPattern: it.immediate))
            if it.isLong { writer.put([UInt8](repeating: 0, count: 8)) }
        }
        return writer.bytes
    }

    /// Numbers of 32 bits.
    package func encoded32(_ numbers: [UInt32]) -> [UInt8] {
        var writer = ByteWriter(bigEndian: bigEndian)
        for number in numbers { writer.put(number) }
        return writer.bytes
    }

    /// Where a function was put.
    package struct Function {
        package let section: Int
        package let offset: Int
        package let symbol: Int
        /// Bytes of each instruction from the function's start.
        let starts: [Int]
    }

    /// Adds a function at the end of its section.
    @discardableResult
    package mutating func program(
        _ name: String, in section: String, isStatic: Bool = false, isWeak: Bool = false,
        _ instructions: [Instruction] = [.move(0, 0), .exit]
    ) -> Function {
        let index = place(section, flags: 6)
        let offset = sections[index - 1].bytes.count
        let code = encoded(instructions)
        var starts: [Int] = []
        var at = 0
        for instruction in instructions {
            starts.append(at)
            at += instruction.isLong ? 16 : 8
        }
        sections[index - 1].bytes += code
        let number = symbol(
            Symbol(
                name: name, value: UInt64(offset), size: UInt64(code.count),
                section: UInt16(index), type: 2, binding: isStatic ? 0 : isWeak ? 2 : 1))
        return Function(section: index, offset: offset, symbol: number, starts: starts)
    }

    /// - Parameter instruction: counted as they were given, a load being one.
    package mutating func relocate(_ function: Function, instruction: Int, to symbol: Int) {
        relocations[function.section, default: []].append(
            (UInt64(function.offset + function.starts[instruction]), symbol))
    }

    // MARK: Data

    private mutating func entry(_ section: String, _ entry: (UInt32, UInt32, UInt32)) {
        if let index = datasecs.firstIndex(where: { $0.name == section }) {
            datasecs[index].entries.append(entry)
        } else {
            datasecs.append((section, [entry]))
        }
    }

    private mutating func room(_ size: UInt32, in section: String) -> (index: Int, offset: Int) {
        let isZero = section == ".bss" || section.hasPrefix(".bss.")
        let index = place(section, type: isZero ? 8 : 1)
        if isZero {
            let offset = Int(sections[index - 1].size ?? 0)
            sections[index - 1].size = UInt64(offset + Int(size))
            return (index, offset)
        }
        let offset = sections[index - 1].bytes.count
        sections[index - 1].bytes += [UInt8](repeating: 7, count: Int(size))
        return (index, offset)
    }

    /// Adds a variable that other files see: its DATASEC says 0, its symbol where it is.
    @discardableResult
    package mutating func global(
        _ name: String, size: UInt32 = 4, type: UInt32 = 1, in section: String,
        visibility: UInt8 = 0
    ) -> Int {
        let (index, offset) = room(size, in: section)
        entry(section, (btf.variable(name, type), 0, size))
        return symbol(
            Symbol(
                name: name, value: UInt64(offset), size: UInt64(size), section: UInt16(index),
                type: 1, visibility: visibility))
    }

    /// Adds a static variable and gives its offset: its DATASEC says where it is, and instructions.
    @discardableResult
    package mutating func local(_ name: String, size: UInt32 = 4, in section: String) -> Int32 {
        let (index, offset) = room(size, in: section)
        entry(section, (btf.variable(name, int, linkage: .static), UInt32(offset), size))
        symbol(
            Symbol(
                name: name, value: UInt64(offset), size: UInt64(size), section: UInt16(index),
                type: 1, binding: 0))
        return Int32(offset)
    }

    /// Adds a declaration of what others define: `.kconfig` or `.ksyms` for a section, or none.
    @discardableResult
    package mutating func extern(
        _ name: String, type: UInt32 = 1, in section: String?, isFunction: Bool = false,
        isWeak: Bool = false
    ) -> Int {
        if let section {
            let id =
                isFunction
                ? btf.function(name, btf.prototype(returns: int), linkage: .extern)
                : btf.variable(name, type, linkage: .extern)
            entry(section, (id, 0, isFunction ? 0 : 4))
        }
        return symbol(Symbol(name: name, binding: isWeak ? 2 : 1))
    }

    /// Adds a variable of struct_ops, of a struct with this name.
    package mutating func operations(_ name: String, of type: String = "ops", in section: String) {
        let structure = btf.structure(type, size: 8, [("flags", int, 0)])
        global(name, size: 8, type: structure, in: section)
    }

    // MARK: Maps

    /// `__uint(NAME, value)` as a member's type.
    package mutating func number(_ value: UInt32) -> UInt32 {
        btf.pointer(btf.array(int, index: int, value))
    }

    /// Adds a map with members of these types, each eight bytes but arrays without a length.
    @discardableResult
    package mutating func map(
        _ name: String, slots: Int = 0, _ members: [(String, UInt32)]
    ) -> Int {
        var bit: UInt32 = 0
        var placed: [(String, UInt32, UInt32)] = []
        for (name, type) in members {
            placed.append((name, type, bit))
            // An array without a length takes no room.
            let isArray = TypeInfo(rawValue: btf.records[Int(type) - 1][1]).kind == .array
            if !isArray { bit += 64 }
        }
        let size = bit / 8
        let structure = btf.structure(size: size, placed)
        return global(name, size: size + UInt32(slots * 8), type: structure, in: ".maps")
    }

    /// A map of a type with numbers for the rest: key and value of four bytes.
    @discardableResult
    package mutating func map(_ name: String, type: UInt32, entries: UInt32 = 8) -> Int {
        map(
            name,
            [
                ("type", number(type)), ("max_entries", number(entries)), ("key_size", number(4)),
                ("value_size", number(4)),
            ])
    }

    // MARK: Writing

    /// The file.
    package func bytes() -> [UInt8] {
        var copy = self
        for (name, entries) in datasecs {
            copy.btf.section(name, size: datasecSizes[name] ?? 0, entries)
        }
        var all = sections
        let typed = typedRelocations.merging(
            relocations.mapValues { $0.map { ($0.place, $0.symbol, 1) } }
        ) { $0 + $1 }
        for target in typed.keys.sorted() {
            var writer = ByteWriter(bigEndian: bigEndian)
            for (place, symbol, type) in typed[target]! {
                writer.put(place)
                writer.put(UInt64(symbol) << 32 | UInt64(type))
            }
            all.append(
                Section(
                    name: ".rel" + sections[target - 1].name, type: 9, bytes: writer.bytes,
                    info: UInt32(target)))
        }
        if !all.contains(where: { $0.name == ".BTF" }) {
            all.append(Section(name: ".BTF", bytes: copy.btf.bytes()))
        }
        if let extended { all.append(Section(name: ".BTF.ext", bytes: extended)) }
        return ELFWriter(bigEndian: bigEndian, machine: machine).file(all, symbols)
    }

    package func view() -> ByteView { ByteView(bytes()) }
}

/// The file around sections and symbols: 64 bits, relocatable.
private struct ELFWriter {
    let bigEndian: Bool
    let machine: UInt16

    func file(_ given: [BPFImage.Section], _ symbols: [BPFImage.Symbol]) -> [UInt8] {
        var names: [UInt8] = [0]
        var table = ByteWriter(bigEndian: bigEndian)
        table.put([UInt8](repeating: 0, count: 24))
        for symbol in symbols {
            table.put(symbol.name.isEmpty ? 0 : UInt32(names.count))
            if !symbol.name.isEmpty { names += Array(symbol.name.utf8) + [0] }
            table.put(symbol.binding << 4 | symbol.type)
            table.put(symbol.visibility)
            table.put(symbol.section)
            table.put(symbol.value)
            table.put(symbol.size)
        }
        var all = [BPFImage.Section(name: "", type: 0, alignment: 0)] + given
        let symtab = UInt32(all.count)
        all.append(.init(name: ".symtab", type: 2, bytes: table.bytes, info: 1))
        all.append(.init(name: ".strtab", type: 3, bytes: names, alignment: 1))
        var sectionNames: [UInt8] = [0]
        let offsets = all.map { section in
            if section.name.isEmpty { return UInt32(0) }
            sectionNames += Array(section.name.utf8) + [0]
            return UInt32(sectionNames.count - section.name.utf8.count - 1)
        }
        let last = UInt32(sectionNames.count)
        sectionNames += Array(".shstrtab".utf8) + [0]
        all.append(.init(name: ".shstrtab", type: 3, bytes: sectionNames, alignment: 1))

        var body: [UInt8] = []
        var headers = ByteWriter(bigEndian: bigEndian)
        for (section, name) in zip(all, offsets + [last]) {
            while (64 + body.count) % 8 != 0 { body.append(0) }
            headers.put(name)
            headers.put(section.type)
            headers.put(section.flags)
            headers.put(UInt64(0))
            headers.put(section.type == 0 ? 0 : UInt64(64 + body.count))
            headers.put(section.size ?? UInt64(section.bytes.count))
            headers.put(section.type == 9 ? symtab : section.type == 2 ? symtab + 1 : 0)
            headers.put(section.info)
            headers.put(section.alignment)
            headers.put(section.type == 9 ? UInt64(16) : section.type == 2 ? 24 : 0)
            body += section.bytes
        }
        while (64 + body.count) % 8 != 0 { body.append(0) }
        var head = ByteWriter(bigEndian: bigEndian)
        head.put([0x7f, 0x45, 0x4c, 0x46, 2, bigEndian ? 2 : 1, 1])
        head.put([UInt8](repeating: 0, count: 9))
        head.put(UInt16(1))
        head.put(machine)
        head.put(UInt32(1))
        head.put(UInt64(0))
        head.put(UInt64(0))
        head.put(UInt64(64 + body.count))
        head.put(UInt32(0))
        for field in [64, 0, 0, 64, UInt16(all.count), UInt16(all.count - 1)] as [UInt16] {
            head.put(field)
        }
        return head.bytes + body + headers.bytes
    }
}
