// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
package import ELF

extension ImageFacts {
    /// Reads what a vmlinux shows: its symbols, and what they name.
    ///
    /// - Parameter map: its `System.map`, for a vmlinux without symbols.
    package init(kernel elf: ELFFile, map: ByteView? = nil) throws(ELFError) {
        let symbols: [SymbolAddresses.Symbol]
        if let map {
            symbols = SymbolAddresses.read(map: map)
        } else {
            symbols = try SymbolAddresses.read(elf) { $0.isAllocated }
        }
        self.init(symbols: symbols)
        try readMemory(elf, symbols)
    }

    /// What a `System.map` alone shows.
    package init(map: ByteView) { self.init(symbols: SymbolAddresses.read(map: map)) }

    private init(symbols: [SymbolAddresses.Symbol]) {
        let table = SymbolAddresses(symbols, firstCounts: false)
        // A stub in headers has the symbols of its .BTF_ids only.
        guard let start = table["_stext"]?.address, let end = table["_etext"]?.address, start < end
        else { return }
        self.symbols = table
        text = [start..<end]
        if table["__start_error_injection_whitelist"] == nil { errorInjection = .off }
    }

    private mutating func readMemory(
        _ elf: ELFFile, _ symbols: [SymbolAddresses.Symbol]
    ) throws(ELFError) {
        let memory = KernelMemory(elf)
        try readSets(memory, symbols)
        guard let table = self.symbols else { return }
        func words(_ start: String, _ end: String) throws(ELFError) -> [UInt64]? {
            guard let start = table[start]?.address, let end = table[end]?.address, start <= end
            else { return nil }
            return try memory.words64(start, Int(clamping: (end - start) / 8))
        }
        if let entries = try words("__start_mcount_loc", "__stop_mcount_loc") {
            let used = entries.filter { address in text.contains { $0.contains(address) } }
            // In a relocatable kernel they are written when it starts.
            if !used.isEmpty { fentries = used.sorted() }
        }
        if elf.machine == ELFMachine.amd64, fentries != nil {
            for symbol in symbols
            where symbol.isFunction && isText(symbol.address)
                && isTraceable(symbol.address) == false
            {
                guard let code = try memory.bytes(symbol.address, 9)?.array else { continue }
                let start = code.starts(with: [0xf3, 0x0f, 0x1e, 0xfa]) ? 4 : 0
                let first = code[start...]
                // A static key that is off, or an alternative: a jump to code outside of the text.
                let isAlternative = first.first == 0xe9 && !isText(jump(first, at: symbol, start))
                if isAlternative || first.starts(with: [0x0f, 0x1f, 0x44, 0, 0]) {
                    patched.insert(symbol.address)
                }
            }
        }
        if let entries = try words(
            "__start_error_injection_whitelist", "__stop_error_injection_whitelist")
        {
            let addresses = stride(from: 0, to: entries.count - 1, by: 2).map { entries[$0] }
            errorInjection = .list(Set(addresses))
        }
    }

    /// Where the jump of five bytes at the start of a function leads.
    private func jump(
        _ code: ArraySlice<UInt8>, at symbol: SymbolAddresses.Symbol, _ offset: Int
    ) -> UInt64 {
        var distance: UInt32 = 0
        for byte in 0..<4 {
            distance |= UInt32(code[code.startIndex + 1 + byte]) << UInt32(8 * byte)
        }
        return symbol.address &+ UInt64(offset) &+ 5
            &+ UInt64(bitPattern: Int64(Int32(bitPattern: distance)))
    }

    private mutating func readSets(
        _ memory: KernelMemory, _ symbols: [SymbolAddresses.Symbol]
    ) throws(ELFError) {
        for symbol in symbols where symbol.name.hasPrefix("__BTF_ID__set") {
            for (prefix, stride) in [("__BTF_ID__set__", 1), ("__BTF_ID__set8__", 2)]
            where symbol.name.hasPrefix(prefix) {
                let set = try memory.set(at: symbol.address, stride: stride)
                // Unfilled ids are 0.
                guard let set, set[0] == nil else { continue }
                sets[String(symbol.name.dropFirst(prefix.utf8.count))] = set
            }
        }
    }

    /// Reads what a module shows.
    ///
    /// - Parameter elf: opened with separate sections.
    package init(module elf: ELFFile) throws(ELFError) {
        func isKept(_ section: ELFSection) -> Bool {
            section.isAllocated && !section.name.hasPrefix(".init")
        }
        symbols = SymbolAddresses(try SymbolAddresses.read(elf, isKept), firstCounts: true)
        text = elf.sections.filter { isKept($0) && $0.isCode }.map {
            let address = elf.address(of: $0)
            return address..<(address &+ max($0.size, 1))
        }
        fentries = []
        for section in elf.sections(named: "__mcount_loc") where section.hasData {
            let data = try elf.data(of: section)
            fentries? += data.words64(at: 0, count: data.count / 8, bigEndian: elf.isBigEndian)
        }
        // Those of code that is freed are dropped with it.
        fentries = fentries?.filter(isText).sorted()
    }
}

extension SymbolAddresses {
    /// - Parameter isKept: whether symbols in a section count.
    static func read(
        _ elf: ELFFile, _ isKept: (ELFSection) -> Bool
    ) throws(ELFError) -> [Symbol] {
        var symbols: [Symbol] = []
        let strings = try elf.symbolStrings()
        let kept = elf.sections.map(isKept)
        let addresses = elf.sections.map {
            elf.type == ELFType.relocatable ? elf.address(of: $0) : 0
        }
        try elf.forEachSymbol { symbol in
            guard symbol.type != ELFSymbolCode.typeFile, symbol.type != ELFSymbolCode.typeSection
            else { return }
            var base: UInt64 = 0
            switch symbol.place {
            case .undefined, .common, .reserved: return
            case .absolute: break
            case .section(let index):
                // A stub has symbols of sections that it does not have.
                if index < kept.count {
                    guard kept[index] || elf.type != ELFType.relocatable else { return }
                    base = addresses[index]
                }
            }
            guard let name = symbol.name(in: strings), name.count <= 512 else { return }
            symbols.append(
                Symbol(
                    String(systemBytes: name.array), symbol.value &+ base,
                    isFunction: symbol.type == ELFSymbolCode.typeFunction))
        }
        return symbols
    }

    /// The lines of a `System.map`: address, type, name.
    static func read(map: ByteView) -> [Symbol] {
        var symbols: [Symbol] = []
        var start = 0
        let bytes = map.array
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
            defer { start = end + 1 }
            let parts = bytes[start..<end].split(separator: 32)
            guard parts.count == 3, parts[1].count == 1, parts[2].count <= 512,
                let address = UInt64(String(decoding: parts[0], as: UTF8.self), radix: 16)
            else { continue }
            let letter = parts[1][parts[1].startIndex]
            symbols.append(
                Symbol(
                    String(systemBytes: parts[2]), address,
                    isFunction: [0x54, 0x74, 0x57, 0x77].contains(letter)))
        }
        // Some packages have a file of one line that names another package.
        return symbols.count > 1 ? symbols : []
    }
}

/// Contents of a kernel by address.
private struct KernelMemory {
    let elf: ELFFile
    private let sections: [ELFSection]

    init(_ elf: ELFFile) {
        self.elf = elf
        sections = elf.sections.filter { $0.isAllocated && $0.hasData }
    }

    /// nil if they are not in the file.
    func bytes(_ address: UInt64, _ count: Int) throws(ELFError) -> ByteView? {
        for section in sections
        where address >= section.address && address - section.address < section.size {
            return try elf.rawData(of: section).slice(Int(address - section.address), count)
        }
        guard elf.sections.isEmpty else { return nil }
        for segment in elf.segments
        where address >= segment.address && address - segment.address < segment.fileSize {
            guard let start = Int(exactly: segment.offset &+ (address - segment.address)) else {
                return nil
            }
            return elf.bytes.slice(start, count)
        }
        return nil
    }

    func words64(_ address: UInt64, _ count: Int) throws(ELFError) -> [UInt64]? {
        guard count <= elf.bytes.count / 8 else { return nil }
        return try bytes(address, count * 8)?.words64(
            at: 0, count: count, bigEndian: elf.isBigEndian)
    }

    /// The ids of a set, with their flags if its entries have two words.
    func set(at address: UInt64, stride: Int) throws(ELFError) -> [UInt32: UInt32]? {
        guard
            let count = try bytes(address, 4)?.words(
                at: 0, count: 1, bigEndian: elf.isBigEndian)?.first, count <= 0x10000,
            let words = try bytes(address, (Int(count) + 1) * stride * 4)?.words(
                at: 0, count: (Int(count) + 1) * stride, bigEndian: elf.isBigEndian)
        else { return nil }
        var set: [UInt32: UInt32] = [:]
        for index in 1..<(Int(count) + 1) {
            set[words[index * stride]] = stride > 1 ? words[index * stride + 1] : 0
        }
        return set
    }
}

extension ByteView {
    fileprivate func words64(at offset: Int, count: Int, bigEndian: Bool) -> [UInt64] {
        guard let words = words(at: offset, count: count * 2, bigEndian: bigEndian) else {
            return []
        }
        return (0..<count).map { index in
            let (one, two) = (UInt64(words[2 * index]), UInt64(words[2 * index + 1]))
            return bigEndian ? one << 32 | two : two << 32 | one
        }
    }
}
