// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
package import Bytes
import CBpf
import Glibc
package import HostIO

/// Static linking of BPF objects by libbpf.
package enum Linker {
    /// An object to be linked.
    package struct Input {
        package let bytes: ByteView
        package let object: BPFObject

        /// - Parameter path: its name in errors.
        package init(_ bytes: ByteView, path: String) throws(BPFObjectError) {
            self.bytes = bytes
            object = try BPFObject(bytes, path: path)
        }
    }

    package enum Failure: Error {
        /// Two objects conflict, or one is invalid.
        case object(BPFObjectError)
        case libbpf(LibBPFError)
        case host(HostError)
    }

    /// Links several objects into one with libbpf. The same inputs in the same order give the same
    /// bytes, whatever their paths.
    ///
    /// libbpf reads and writes files by name. It is given names of memory files with the checked
    /// contents, so that no file is read twice, and none is written.
    ///
    /// - Parameter name: the result's name in errors.
    /// - Returns: the object, and libbpf's messages.
    /// - Throws: for objects that define the same symbol, or declare it differently.
    package static func link(
        _ inputs: [Input], name: String
    ) throws(Failure) -> (bytes: ByteView, warnings: [String]) {
        for input in inputs where input.object.isBigEndian != (UInt16(1).bigEndian == 1) {
            throw .object(input.object.foreignOrder("links objects", of: LibBPF.version))
        }
        try checkDefinitions(inputs)
        let (made, warnings) = try run(inputs.map { ($0.bytes, $0.object.file) }, name: name)
        let bytes = LinkedDeclarations(made, path: name).corrected() ?? made
        // The result must pass the same checks as the inputs.
        do throws(BPFObjectError) { _ = try BPFObject(bytes, path: name) } catch {
            throw .object(error)
        }
        return (bytes, warnings)
    }

    private static func run(
        _ inputs: [(bytes: ByteView, name: String)], name: String
    ) throws(Failure) -> (ByteView, [String]) {
        let output = try memory([])
        var session = try Session(output.path, name: name)
        for input in inputs {
            let file = try memory([input.bytes])
            try session.add(file.path, name: input.name)
        }
        try session.finish()
        do throws(HostError) { return (try output.contents(), session.warnings) } catch {
            throw .host(error)
        }
    }

    private static func memory(_ chunks: [ByteView]) throws(Failure) -> MemoryFile {
        do throws(HostError) { return try MemoryFile("object", with: chunks) } catch {
            throw .host(error)
        }
    }

    /// libbpf processes the inputs one after the other, and its message says less.
    private static func checkDefinitions(_ inputs: [Input]) throws(Failure) {
        var known: [String: (file: String, section: String)] = [:]
        for input in inputs {
            for definition in input.object.definitions where !definition.isWeak {
                if let first = known[definition.name] {
                    throw .object(
                        BPFObjectError(
                            file: input.object.file, section: definition.section,
                            offset: definition.offset,
                            "'\(definition.name)' is also defined in \(first.file) (\(first.section))",
                            hint: "rename one of them, make it static, or declare it extern here"))
                }
                known[definition.name] = (input.object.file, definition.section)
            }
        }
    }
}

/// libbpf's linker, from creation to disposal.
@safe
private struct Session: ~Copyable {
    // SAFETY: created by bpf_linker__new, used here only, and freed once.
    private let linker: OpaquePointer
    private(set) var warnings: [String] = []
    private let name: String

    init(_ path: String, name: String) throws(Linker.Failure) {
        self.name = name
        var log: [String] = []
        var code: Int32 = 0
        let made = unsafe LibBPFLog.collecting(into: &log) { () -> OpaquePointer? in
            // SAFETY: the path is NUL-terminated for the call.
            let made = unsafe bpf_linker__new(path, nil)
            code = errno
            return unsafe made
        }
        guard let made = unsafe made else {
            throw .libbpf(LibBPFError(file: name, step: "start", code: code, log: log))
        }
        unsafe linker = made
    }

    /// - Parameter name: the name for `path` in messages.
    mutating func add(_ path: String, name: String) throws(Linker.Failure) {
        // SAFETY: the path is NUL-terminated for the call.
        try unsafe run("link", name, shown: path) { unsafe bpf_linker__add_file($0, path, nil) }
    }

    mutating func finish() throws(Linker.Failure) {
        try unsafe run("finish", name, shown: nil) { unsafe bpf_linker__finalize($0) }
    }

    private mutating func run(
        _ step: String, _ name: String, shown path: String?, _ body: (OpaquePointer) -> Int32
    ) throws(Linker.Failure) {
        var log: [String] = []
        let result = LibBPFLog.collecting(into: &log) { unsafe body(linker) }
        if let path { log = log.map { $0.replacing(path, with: name) } }
        guard result == 0 else {
            throw .libbpf(LibBPFError(file: name, step: step, code: -result, log: log))
        }
        warnings += log
    }

    deinit { unsafe bpf_linker__free(linker) }
}
