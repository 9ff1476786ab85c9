// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import HostIO

/// Programs of the host's for guests without a system, each with its dynamic loader and the
/// libraries that it needs, all at the paths that they have on the host.
package struct HostPrograms: Sendable {
    struct File {
        let path: String
        let bytes: ByteView
    }

    private(set) var files: [File] = []
    /// The second path of each program where `/bin` is a link to `/usr/bin`, as on most systems.
    private(set) var links: [(path: String, target: String)] = []
    private(set) var paths: Set<String> = []
    private let architecture: Architecture

    private static let mostFiles = 500
    /// They read a library of their own, which is not linked to them.
    private static let unfit = ["perl", "python", "ruby"]

    /// - Parameter programs: absolute paths.
    /// - Throws: if one is not a program for guests of this architecture, or a library of one is
    ///   not found.
    package init(_ programs: [String], for architecture: Architecture) throws(VMError) {
        self.architecture = architecture
        for path in programs { try add(program: path) }
    }

    private mutating func add(program path: String) throws(VMError) {
        guard path.hasPrefix("/"), path == HostPrograms.normalized(path) else {
            throw VMError("--program \(path): expected the name of a program, or its absolute path")
        }
        guard HostPrograms.isFit(path) else {
            throw VMError(
                "--program \(path): it needs the files of its library, which do not come along",
                hint: TestProgram.systemHint)
        }
        guard !paths.contains(path) else { return }
        let file = try read(path)
        try TestProgram(
            path: path, bytes: file.bytes, architecture: architecture, system: nil, busybox: nil,
            brought: []
        ).checkForm(of: file)
        try add(path, file)
        let other = path.hasPrefix("/usr/") ? String(path.dropFirst(4)) : "/usr" + path
        if ["/bin/", "/sbin/"].contains(where: { other.hasPrefix($0) || path.hasPrefix($0) }),
            paths.insert(other).inserted
        {
            links.append((other, path))
        }
    }

    /// Whether the program needs nothing but the libraries that it is linked to.
    static func isFit(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        return !unfit.contains { name.hasPrefix($0) }
    }

    /// Adds what the dynamically linked ones among the tests need.
    package mutating func addLibraries(of tests: GuestFiles) throws(VMError) {
        let files = Dictionary(tests.files.map { ($0.path, $0.bytes) }) { first, _ in first }
        for test in tests.tests where test.denied == nil {
            guard let bytes = files[test.path], ELFFile.isELF(bytes) else { continue }
            let file: ELFFile
            do throws(ELFError) { file = try ELFFile(bytes, path: test.path) } catch {
                throw VMError(error)
            }
            try addNeeds(of: file)
        }
    }

    private func read(_ path: String) throws(VMError) -> ELFFile {
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw VMError(error) }
        guard ELFFile.isELF(bytes) else { throw VMError("\(path): not a program (ELF)") }
        do throws(ELFError) { return try ELFFile(bytes, path: path) } catch {
            throw VMError(error)
        }
    }

    private mutating func add(_ path: String, _ file: ELFFile) throws(VMError) {
        guard paths.insert(path).inserted else { return }
        guard files.count < HostPrograms.mostFiles else {
            throw VMError("--program: more than \(HostPrograms.mostFiles) programs and libraries")
        }
        files.append(File(path: path, bytes: file.bytes))
        try addNeeds(of: file)
    }

    private mutating func addNeeds(of file: ELFFile) throws(VMError) {
        let needs = try DynamicNeeds(file)
        if let loader = needs.loader { try add(loader, try read(loader)) }
        for name in needs.libraries {
            let places = name.contains("/") ? [name] : folders(needs).map { "\($0)/\(name)" }
            var found: (String, ELFFile)?
            for place in places where found == nil && FileStatus(place).isRegular {
                if let library = try? read(place), architecture.runs(library) {
                    found = (place, library)
                }
            }
            guard let (path, library) = found else {
                throw VMError(
                    "\(file.path): needs \(name), which is not in any of "
                        + folders(needs).joined(separator: ", "))
            }
            try add(path, library)
        }
    }

    /// Where the guest's loader looks as well: it has no cache of its own.
    private func folders(_ needs: DynamicNeeds) -> [String] {
        let own = architecture.libraries
        return needs.folders.map(HostPrograms.normalized)
            + ["/lib/\(own)", "/usr/lib/\(own)", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]
    }

    /// Without `.`, `..` and double slashes.
    private static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// What the dynamic section of a program or library asks for (gABI, chapter "Dynamic Linking").
struct DynamicNeeds {
    /// The dynamic loader.
    private(set) var loader: String?
    private(set) var libraries: [String] = []
    /// Directories to search before those of the system.
    private(set) var folders: [String] = []

    private enum Tag {
        static let needed: UInt64 = 1
        static let path: UInt64 = 15
        static let runPath: UInt64 = 29
    }

    private enum SegmentType {
        static let interpreter: UInt32 = 3
    }

    private static let most = 1000

    init(_ file: ELFFile) throws(VMError) {
        if let segment = file.segments.first(where: { $0.type == SegmentType.interpreter }),
            let offset = Int(exactly: segment.offset)
        {
            loader = file.bytes.cString(at: offset)
        }
        guard let dynamic = file.section(named: ".dynamic"), dynamic.hasData,
            let strings = file.section(named: ".dynstr"),
            let start = Int(exactly: dynamic.offset), let size = Int(exactly: dynamic.size),
            let names = Int(exactly: strings.offset), let length = Int(exactly: strings.size),
            let words = file.bytes.words(
                at: start, count: min(size / 4, Self.most * 4), bigEndian: file.isBigEndian)
        else { return }
        // Words in d_tag, and in d_val.
        let width = file.is64Bit ? 2 : 1
        func number(_ at: Int) -> UInt64 {
            let (first, second) = (UInt64(words[at]), UInt64(words[at + width - 1]))
            if width == 1 { return first }
            return file.isBigEndian ? first << 32 | second : second << 32 | first
        }
        var old: [String] = []
        for at in stride(from: 0, through: words.count - 2 * width, by: 2 * width) {
            let tag = number(at)
            guard tag != 0 else { break }
            guard [Tag.needed, Tag.path, Tag.runPath].contains(tag) else { continue }
            guard let offset = Int(exactly: number(at + width)), offset < length,
                let text = file.bytes.cString(at: names + offset)
            else { throw VMError("\(file.path): .dynamic: a name lies outside .dynstr") }
            switch tag {
            case Tag.needed: libraries.append(text)
            case Tag.runPath: folders = Self.folders(text, of: file.path)
            default: old = Self.folders(text, of: file.path)
            }
        }
        if folders.isEmpty { folders = old }
    }

    private static func folders(_ list: String, of path: String) -> [String] {
        let own = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        return list.split(separator: ":").map {
            String($0).replacing("${ORIGIN}", with: own).replacing("$ORIGIN", with: own)
        }.filter { $0.hasPrefix("/") }
    }
}
