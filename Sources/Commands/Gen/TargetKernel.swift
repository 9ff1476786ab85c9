// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import BTF
import Bytes
import Console
import HostIO
import KernelTree

/// What the user specifies about a loader's target kernel. The build machine is never consulted.
struct TargetKernel: Equatable {
    /// The file of `--kconfig`.
    var kconfig: String?
    /// The value of LINUX_KERNEL_VERSION.
    var version: UInt32?
    /// The file of `--kernel-btf`.
    var kernelBTF: String?

    /// Nothing is specified.
    var isEmpty: Bool { kconfig == nil && version == nil && kernelBTF == nil }

    /// The contents of the `--kconfig` file; nil without one. It may be a pipe, so read it only
    /// once.
    func configuration() throws(Failure) -> ByteView? {
        guard let kconfig else { return nil }
        do throws(HostError) {
            return try FileReader.map(kconfig, limit: Self.longestConfig)
        } catch { throw Failure(error) }
    }

    /// - Parameter configuration: the result of `configuration()`.
    func facts(_ configuration: ByteView?) throws(Failure) -> KernelFacts {
        guard let kconfig, let configuration else { return KernelFacts(version: version) }
        let text = try decompressed(configuration, kconfig)
        let facts = KernelFacts(
            file: kconfig, config: String(decoding: text.array, as: UTF8.self),
            version: version)
        guard !facts.isEmpty else {
            throw Failure(
                "\(kconfig): not a kernel configuration: it has no line CONFIG_NAME=value",
                hint: "use /boot/config-R, /proc/config.gz or a kernel tree's .config")
        }
        return facts
    }

    /// The largest configurations have 300 KB.
    private static let longestConfig = 8 << 20

    private func decompressed(
        _ bytes: ByteView, _ path: String
    ) throws(Failure) -> ByteView {
        var text = bytes
        if let format = CompressionFormat.detect(text) {
            do throws(DecompressionError) {
                text = try decompress(
                    text, format: format, concatenated: true, limit: Self.longestConfig)
            } catch { throw Failure("\(path): \(error)") }
        }
        guard text.count <= Self.longestConfig else {
            throw Failure("\(path): \(text.count) bytes is too large for a kernel configuration")
        }
        return text
    }

    func types() throws(Failure) -> BTF? {
        guard let kernelBTF else { return nil }
        do throws(KernelTreeError) { return try loadBase(kernelBTF).btf } catch {
            throw Failure(error)
        }
    }
}
