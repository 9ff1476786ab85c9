// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF

/// A file to run as a test in the guest. Problems are better reported before the boot than after
/// it.
struct TestProgram {
    let path: String
    let bytes: ByteView
    let architecture: Architecture
    /// The guest's system; nil if it has none.
    let system: GuestSystem?
    /// nil if the guest gets none.
    let busybox: Busybox?
    /// Paths in the guest of the files that come with the tests.
    let brought: Set<String>

    /// The `PATH` that init sets.
    private static let searchPath = [
        "/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/tests",
    ]
    static let systemHint = "use a guest with a complete system: --image debian"

    private enum SegmentType {
        static let load: UInt32 = 1
        static let interpreter: UInt32 = 3
    }

    /// True for a library: linkers make shared libraries executable.
    static func isLibrary(_ bytes: ByteView, _ path: String) -> Bool {
        guard ELFFile.isELF(bytes), let file = try? ELFFile(bytes, path: path) else { return false }
        return isLibrary(file)
    }

    /// A static program may also be ET_DYN without an interpreter, but it has an entry point.
    private static func isLibrary(_ file: ELFFile) -> Bool {
        let word = file.is64Bit ? 8 : 4
        let entry = file.bytes.bytes(at: 24, count: word) ?? []
        return file.type == ELFType.shared && entry.allSatisfy { $0 == 0 }
            && !file.segments.contains { $0.type == SegmentType.interpreter }
    }

    /// - Throws: if the guest cannot run it, with the reason.
    func check() throws(VMError) {
        if bytes.hasBytes("#!") {
            try checkScript()
        } else {
            try checkProgram()
        }
    }

    /// - Throws: if it is not a program that the guest can run, with the reason.
    func checkProgram() throws(VMError) {
        guard ELFFile.isELF(bytes) else {
            throw VMError(
                "\(path): neither a program (ELF) nor a script (#!), so no kernel can run it",
                hint: notATest)
        }
        let file: ELFFile
        do throws(ELFError) { file = try ELFFile(bytes, path: path) } catch {
            throw VMError(error)
        }
        try checkForm(of: file)
        try checkLoader(of: file)
    }

    private var notATest: String { "if it is data for a test: chmod -x \(path)" }

    func checkForm(of file: ELFFile) throws(VMError) {
        if file.type == ELFType.relocatable {
            let isModule = file.section(named: ".modinfo") != nil
            throw VMError(
                "\(path): \(isModule ? "a kernel module" : "an object file"), not a program",
                hint: isModule ? "load it with --module \(path); " + notATest : notATest)
        }
        guard [ELFType.executable, ELFType.shared].contains(file.type),
            file.segments.contains(where: { $0.type == SegmentType.load })
        else { throw VMError("\(path): an ELF file that is not a program", hint: notATest) }
        if TestProgram.isLibrary(file) {
            throw VMError("\(path): a shared library, not a program", hint: notATest)
        }
        guard architecture.runs(file) else {
            let other = Architecture.all.first { $0.runs(file) }
            throw VMError(
                "\(path): not a program for \(architecture.name)"
                    + (other.map { " but for \($0.name)" } ?? ""),
                hint: "build it with \(architecture.triplet)-gcc -static")
        }
    }

    private func checkLoader(of file: ELFFile) throws(VMError) {
        guard let segment = file.segments.first(where: { $0.type == SegmentType.interpreter })
        else { return }
        guard let offset = Int(exactly: segment.offset), let size = Int(exactly: segment.fileSize),
            size < 4096, let name = bytes.bytes(at: offset, count: size)
        else { throw VMError("\(path): the name of its dynamic loader lies outside the file") }
        let loader = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        guard has(loader) == false else { return }
        throw VMError(
            "\(path): linked dynamically, and the guest does not have its loader \(loader)",
            hint: "link it with -static"
                + (system == nil ? "; or \(TestProgram.systemHint)" : ""))
    }

    private func checkScript() throws(VMError) {
        // The kernel reads this much of the first line.
        let line = bytes.bytes(at: 2, count: min(254, bytes.count - 2)) ?? []
        let words = line.prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
            .split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            .map { String(decoding: $0, as: UTF8.self) }
        guard let interpreter = words.first, !interpreter.isEmpty else {
            throw VMError("\(path): a script without an interpreter (#!)")
        }
        if words.last?.unicodeScalars.last == "\r" {
            throw VMError(
                "\(path): the line that names its interpreter ends in a carriage return",
                hint: "convert it to Unix line endings: sed -i 's/\\r$//' \(path)")
        }
        if has(interpreter) == false {
            throw VMError(
                "\(path): a script, and the guest does not have its interpreter \(interpreter)",
                hint: interpreterHint(interpreter))
        }
        // `#!/usr/bin/env python3`
        guard interpreter.hasSuffix("/env"), words.count == 2, let name = words.last,
            !name.hasPrefix("-"), !name.contains("/"), !name.contains("="),
            TestProgram.searchPath.allSatisfy({ has("\($0)/\(name)") == false })
        else { return }
        throw VMError(
            "\(path): a script, and the guest does not have its interpreter \(name)",
            hint: interpreterHint(name))
    }

    private func interpreterHint(_ interpreter: String) -> String {
        if system != nil { return "install it on the image, or use another image with --image" }
        if busybox == nil, interpreter == "/bin/sh" {
            return "give the guest a shell: --busybox /bin/busybox (of Debian's busybox-static)"
        }
        return HostPrograms.isFit(interpreter)
            ? "give the guest the host's: --program \(interpreter)" : TestProgram.systemHint
    }

    /// Whether `path` will exist in the guest; nil if unknown.
    private func has(_ path: String) -> Bool? {
        if brought.contains(path) { return true }
        if let system { return path.hasPrefix("/") ? system.has(path) : nil }
        guard let busybox else { return false }
        return busybox.has(path)
    }
}
