// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Console
import HostIO

/// A copy of a module, rebased; removed with its value.
package struct RebasedCopy {
    private let folder: TemporaryFolder
    package let path: String
    /// What was done.
    package let message: String

    /// - Parameters:
    ///   - base: an image, or another file with the kernel's BTF.
    ///   - old: the base of split BTF; nil if it is not known.
    /// - Throws: if `kbtf rebase` fails, with what it says.
    package init(
        of module: String, onto base: String, from old: String?, _ surroundings: Surroundings
    ) throws(Failure) {
        let copy: String
        do throws(HostError) {
            folder = try TemporaryFolder(in: surroundings.variable("TMPDIR") ?? "/tmp")
            // Its suffix says whether it is compressed.
            let name = module.split(separator: "/").last.map(String.init) ?? "module.ko"
            copy = folder.path + "/" + name
            try AtomicFile.replace(copy, with: [try FileReader.map(module)])
        } catch { throw Failure(error) }
        let command = ["rebase", "--base", base]
        var result = QuietRun(
            command + (old.map { ["--from", $0] } ?? []) + ["--", copy], surroundings)
        // A base that it was not made on is an error, even where none is needed.
        if result.status != 0, old != nil {
            result = QuietRun(command + ["--", copy], surroundings)
        }
        let words = (result.message ?? "no message").replacing(copy, with: module)
        guard result.status == 0 else {
            throw Failure(
                words, hint: result.hint.map { $0.replacing(copy, with: module) })
        }
        path = copy
        message = words
    }
}
