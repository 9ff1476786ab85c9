// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import ELF
import HostIO

/// The vmlinux in a file: the file itself, or what a kernel image contains, decompressed.
///
/// - Returns: nil if the file is something else.
/// - Throws: `KernelTreeError` if it cannot be read.
package func unpackedKernel(_ path: String) throws(KernelTreeError) -> ByteView? {
    var view: ByteView
    do throws(HostError) { view = try FileReader.map(path) } catch { throw KernelTreeError(error) }
    // A compressed image of a compressed kernel.
    for _ in 0..<3 {
        if ELFFile.isELF(view) { return view }
        var isPayload = false
        if case .at(let offset, let count) = KernelImage(view)?.payload,
            let payload = view.slice(offset, count)
        {
            view = payload
            isPayload = true
            if ELFFile.isELF(view) { return view }
        }
        guard let format = CompressionFormat.detect(view),
            let unpacked = try? decompress(view, format: format, concatenated: !isPayload)
        else { return nil }
        view = unpacked
    }
    return nil
}
