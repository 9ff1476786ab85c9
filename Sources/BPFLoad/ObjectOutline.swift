// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import CBpf
import Glibc

/// What libbpf finds in an object when it opens it: its maps, programs and types, in the order in
/// which a loader lists them. Nothing is loaded, and this machine's kernel is not asked.
package struct ObjectOutline: Sendable, Equatable {
    package let maps: [LoaderTrace.Map]
    package let programs: [LoaderTrace.Program]
    /// As in `LoaderTrace`.
    package let types: [UInt8]?

    /// - Parameters:
    ///   - object: the whole file.
    ///   - path: its name in errors.
    ///   - name: the object's name, with which those of its data sections begin.
    /// - Throws: `LibBPFError` if libbpf refuses to open the object.
    package init(object: ByteView, path: String, name: String) throws(LibBPFError) {
        var log: [String] = []
        do throws(LoaderTrace.Refusal) {
            self = try LibBPFLog.collecting(into: &log) { () throws(LoaderTrace.Refusal) in
                // SAFETY: it ends with NUL, and is there until the object is closed.
                try unsafe Array(name.utf8CString).withUnsafeBufferPointer {
                    name throws(LoaderTrace.Refusal) in
                    try unsafe Self.open(object, name: name.baseAddress!)
                }
            }
        } catch {
            throw LibBPFError(file: path, step: error.step, code: error.code, log: log)
        }
    }

    private init(
        maps: [LoaderTrace.Map], programs: [LoaderTrace.Program], types: [UInt8]?
    ) {
        self.maps = maps
        self.programs = programs
        self.types = types
    }

    @unsafe
    private static func open(
        _ object: ByteView, name: UnsafePointer<CChar>
    ) throws(LoaderTrace.Refusal) -> ObjectOutline {
        var options = unsafe bpf_object_open_opts()
        unsafe options.sz = MemoryLayout<bpf_object_open_opts>.stride
        unsafe options.object_name = name
        // SAFETY: libbpf copies the name, and refers to the bytes of the file, which stay valid
        // until the object is closed.
        return try unsafe object.withUnsafeBytes { bytes throws(LoaderTrace.Refusal) in
            guard
                let handle = unsafe bpf_object__open_mem(
                    bytes.baseAddress, bytes.count, &options)
            else { throw LoaderTrace.Refusal("open", -errno) }
            defer { unsafe bpf_object__close(handle) }
            return unsafe ObjectOutline(
                maps: LoaderTrace.maps(of: handle), programs: LoaderTrace.programs(of: handle),
                types: LoaderTrace.types(of: handle))
        }
    }
}
