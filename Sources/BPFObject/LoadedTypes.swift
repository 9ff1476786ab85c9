// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import Bytes
package import ELF

/// The BTF that libbpf passes to the kernel for an object: sizes and offsets of sections filled in
/// from its symbols, externs as variables, and for older kernels other kinds in place of those that
/// they do not know.
///
/// - Returns: nil if the BTF cannot be read, or libbpf would not get that far.
package func btfForKernel(_ bytes: ByteView, of object: ELFFile, rules: TargetRules) -> ByteView? {
    guard let btf = try? BTF.parse(bytes), !btf.isSplit else { return nil }
    var types = LoadedTypes(btf, object, rules)
    return types.run()
}

private struct LoadedTypes {
    private let btf: BTF
    private let rules: TargetRules
    private var words: [UInt32]
    private var starts: [Int]
    private var strings: [UInt8]
    private let sizes: [String: UInt32]
    /// Global and weak variables.
    private let symbols: [String: ELFSymbol]
    /// Functions that no other object sees, and other functions call: the kernel need not know that
    /// they are global.
    private let hiddenFunctions: Set<String>
    /// What the object declares and others define.
    private let externs: Set<String>
    /// An INT of 32 bits; 0 until one is asked for.
    private var int: UInt32 = 0
    private var dummy: (id: UInt32, name: UInt32) = (0, 0)

    init(_ btf: BTF, _ object: ELFFile, _ rules: TargetRules) {
        self.btf = btf
        self.rules = rules
        words = btf.words
        starts = btf.starts.map(Int.init)
        strings = btf.strings
        sizes = Dictionary(
            object.sections.map { ($0.name, UInt32(truncatingIfNeeded: $0.size)) },
            uniquingKeysWith: { first, _ in first })
        var symbols: [String: ELFSymbol] = [:]
        var hidden: Set<String> = []
        var externs: Set<String> = []
        var functionCount = 0
        let names = (try? object.symbolStrings()) ?? .empty
        try? object.forEachSymbol { symbol in
            if symbol.place == .undefined, symbol.type == ELFSymbolCode.typeNone,
                symbol.binding != ELFSymbolCode.bindLocal, symbol.nameOffset != 0,
                let name = names.cString(at: Int(symbol.nameOffset))
            {
                externs.insert(name)
            }
            guard let index = symbol.sectionIndex, object.sections.indices.contains(index) else {
                return
            }
            let isFunction =
                symbol.type == ELFSymbolCode.typeFunction && object.sections[index].isCode
            if isFunction { functionCount += 1 }
            guard symbol.binding != ELFSymbolCode.bindLocal, symbol.nameOffset != 0,
                let name = names.cString(at: Int(symbol.nameOffset))
            else { return }
            if isFunction {
                if symbol.isHidden, object.sections[index].name == ".text" { hidden.insert(name) }
            } else if symbol.type == ELFSymbolCode.typeObject, symbols[name] == nil {
                symbols[name] = symbol
            }
        }
        self.symbols = symbols
        self.externs = externs
        // A single one is a program.
        hiddenFunctions = functionCount > 1 ? hidden : []
    }

    private func kind(_ start: Int) -> Kind? { TypeInfo(rawValue: words[start + 1]).kind }

    private func name(_ start: Int) -> String { btf.string(at: words[start]) }

    private func start(of id: UInt32) -> Int? {
        id >= 1 && Int(id) <= starts.count ? starts[Int(id) - 1] : nil
    }

    mutating func run() -> ByteView? {
        guard declaresExterns() else { return nil }
        for start in starts where kind(start) == .datasec {
            let section = name(start)
            switch section {
            case ".ksyms": fillKernelSymbols(start)
            case ".kconfig": fillConfiguration(start)
            default: if !fill(start, section) { return nil }
            }
            sortVariables(start)
        }
        hideFunctions()
        replaceKinds()
        return ByteView(serialized())
    }

    // MARK: Sections

    private func elements(_ start: Int) -> Int { TypeInfo(rawValue: words[start + 1]).vlen }

    /// The linker has filled in size and offsets already.
    ///
    /// - Returns: false if the object has no such section or variable, which libbpf refuses.
    private mutating func fill(_ start: Int, _ section: String) -> Bool {
        let isFilled = words[start + 2] != 0
        if !isFilled {
            guard let size = sizes[section], size != 0 else { return false }
            words[start + 2] = size
        }
        for index in 0..<elements(start) {
            let at = start + 3 + index * 3
            guard let variable = self.start(of: words[at]), kind(variable) == .var else {
                return false
            }
            let linkage = words[variable + 3]
            if linkage == Linkage.static.rawValue || linkage == Linkage.extern.rawValue { continue }
            guard let symbol = symbols[name(variable)] else { return false }
            if !isFilled { words[at + 1] = UInt32(truncatingIfNeeded: symbol.value) }
            if symbol.isHidden { words[variable + 3] = Linkage.static.rawValue }
        }
        return true
    }

    private mutating func hideFunctions() {
        var left = hiddenFunctions
        for start in starts where !left.isEmpty && kind(start) == .func {
            guard words[start + 1] & 0xffff == Linkage.global.rawValue,
                left.remove(name(start)) != nil
            else { continue }
            words[start + 1] = UInt32(Kind.func.rawValue) << 24
        }
    }

    private mutating func sortVariables(_ start: Int) {
        let count = elements(start)
        let first = start + 3
        let entries = (0..<count).map { Array(words[first + $0 * 3..<first + $0 * 3 + 3]) }
        let sorted = entries.enumerated().sorted {
            ($0.element[1], $0.offset) < ($1.element[1], $1.offset)
        }
        for (index, entry) in sorted.enumerated() {
            words.replaceSubrange(
                first + index * 3..<first + index * 3 + 3, with: entry.element)
        }
    }

    // MARK: Externs

    /// Whether the two sections of externs list what the symbols declare, and nothing else. Parts
    /// of an object that was not linked declare more.
    private func declaresExterns() -> Bool {
        var listed: Set<String> = []
        for start in starts
        where kind(start) == .datasec && [".ksyms", ".kconfig"].contains(name(start)) {
            for index in 0..<elements(start) {
                guard let entry = self.start(of: words[start + 3 + index * 3]) else { return false }
                listed.insert(name(entry))
            }
        }
        return listed == externs
    }

    /// Each becomes an int.
    private mutating func fillKernelSymbols(_ start: Int) {
        needInt()
        let count = elements(start)
        for index in 0..<count {
            let at = start + 3 + index * 3
            guard let symbol = self.start(of: words[at]) else { continue }
            if kind(symbol) == .func {
                needDummy()
                if let prototype = self.start(of: words[symbol + 2]), kind(prototype) == .funcProto
                {
                    for parameter in 0..<elements(prototype) {
                        let word = prototype + 3 + parameter * 2
                        if words[word + 1] != 0, words[word] == 0 { words[word] = dummy.name }
                    }
                }
                words[symbol + 1] = words[symbol + 1] & ~0xffff | Linkage.global.rawValue
                words[at] = dummy.id
            } else if kind(symbol) == .var {
                words[symbol + 3] = Linkage.global.rawValue
                words[symbol + 2] = int
            }
            words[at + 1] = UInt32(index * 4)
            words[at + 2] = 4
        }
        words[start + 2] = UInt32(count * 4)
    }

    /// In libbpf's order: large alignment first, then small size, then by name.
    private mutating func fillConfiguration(_ start: Int) {
        var variables: [(at: Int, variable: Int, size: UInt32, alignment: UInt32)] = []
        for index in 0..<elements(start) {
            let at = start + 3 + index * 3
            guard let variable = self.start(of: words[at]), kind(variable) == .var else { continue }
            let size = words[at + 2]
            variables.append((at, variable, size, alignment(of: words[variable + 2])))
        }
        variables.sort { a, b in
            if a.alignment != b.alignment { return a.alignment > b.alignment }
            if a.size != b.size { return a.size < b.size }
            return Array(name(a.variable).utf8).lexicographicallyPrecedes(name(b.variable).utf8)
        }
        var end: UInt32 = 0
        for (at, variable, size, alignment) in variables {
            let offset = (end &+ alignment &- 1) / alignment &* alignment
            words[at + 1] = offset
            words[variable + 3] = Linkage.global.rawValue
            end = offset &+ size
        }
        words[start + 2] = end
    }

    private func alignment(of type: UInt32) -> UInt32 {
        guard let record = btf.plain(TypeID(type)) else { return 1 }
        return switch record.kind {
        case .array: alignment(ofElement: record.fixed(0))
        case .int, .enum, .enum64: min(max(record.size, 1), 8)
        case .ptr: 8
        default: 1
        }
    }

    private func alignment(ofElement type: UInt32) -> UInt32 {
        guard let record = btf.plain(TypeID(type)), record.kind == .int else { return 1 }
        return min(max(record.size, 1), 8)
    }

    private mutating func append(_ record: [UInt32]) -> UInt32 {
        starts.append(words.count)
        words += record
        return UInt32(starts.count)
    }

    private mutating func needInt() {
        guard int == 0 else { return }
        for (index, start) in starts.enumerated()
        where kind(start) == .int && words[start + 3] & 0xff == 32 {
            int = UInt32(index + 1)
            return
        }
        int = append([addString("int"), 1 << 24, 4, 1 << 24 | 32])
    }

    private mutating func needDummy() {
        guard dummy.id == 0 else { return }
        dummy.name = addString("dummy_ksym")
        dummy.id = append([dummy.name, UInt32(Kind.var.rawValue) << 24, int, 1])
    }

    /// The offset of a whole string: the first one, or a new one.
    private mutating func addString(_ text: String) -> UInt32 {
        let bytes = Array(text.utf8) + [0]
        var at = 0
        while at + bytes.count <= strings.count {
            if strings[at] == bytes[0], strings[at..<at + bytes.count].elementsEqual(bytes) {
                return UInt32(at)
            }
            at = (strings[at...].firstIndex(of: 0) ?? strings.count) + 1
        }
        strings += bytes
        return UInt32(strings.count - bytes.count)
    }

    // MARK: Older kernels

    private mutating func replaceKinds() {
        var placeholder: UInt32 = 0
        for start in starts {
            let info = TypeInfo(rawValue: words[start + 1])
            func become(_ kind: Kind, vlen: Int = 0) -> UInt32 {
                UInt32(kind.rawValue) << 24 | UInt32(vlen)
            }
            switch info.kind {
            case .declTag where !rules.has(.declTag):
                words[start + 1] = become(.int)
                words[start + 2] = 1
                words[start + 3] = 8
            case .typeTag where !rules.has(.typeTag):
                words[start] = 0
                words[start + 1] = become(.const)
            case .float where !rules.has(.float):
                words[start] = 0
                words[start + 1] = become(.struct)
            case .func where !rules.has(.functionLinkage):
                words[start + 1] = become(.func)
            case .enum where !rules.has(.enum64):
                words[start + 1] = become(.enum, vlen: info.vlen)
            case .enum64 where !rules.has(.enum64):
                if placeholder == 0 {
                    placeholder = append([addString("enum64_placeholder"), 1 << 24, 1, 8])
                }
                words[start + 1] = become(.union, vlen: info.vlen)
                for index in 0..<info.vlen {
                    words[start + 4 + index * 3] = placeholder
                    words[start + 5 + index * 3] = 0
                }
            default: break
            }
        }
    }

    private func serialized() -> [UInt8] {
        let length = words.count * 4
        var writer = ByteWriter(bigEndian: btf.bigEndian)
        writer.put(Header.magic)
        writer.put(UInt8(1))
        writer.put(UInt8(0))
        for field in [Header.shortLength, 0, length, length, strings.count] {
            writer.put(UInt32(truncatingIfNeeded: field))
        }
        var bytes = writer.bytes
        Bytes.append(words, to: &bytes, bigEndian: btf.bigEndian)
        return bytes + strings
    }
}

extension ELFSymbol {
    /// STV_INTERNAL, STV_HIDDEN: libbpf takes it for static.
    fileprivate var isHidden: Bool { visibility == 1 || visibility == 2 }
}
