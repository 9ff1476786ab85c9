// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

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
                    try unsafe LoaderTrace.opened(object, name: name.baseAddress!) {
                        handle throws(LoaderTrace.Refusal) in
                        unsafe ObjectOutline(
                            maps: LoaderTrace.maps(of: handle),
                            programs: LoaderTrace.programs(of: handle),
                            types: LoaderTrace.types(of: handle))
                    }
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
}
