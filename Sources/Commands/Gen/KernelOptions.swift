// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BPFObject
import BTF
import Bytes
import Console
import HostIO
import KernelTree

/// What the user specifies about a loader's target kernel. The build machine is never consulted.
struct KernelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The target kernel's configuration, possibly compressed: the values of __kconfig variables.",
            valueName: "FILE"), completion: .file())
    var kconfig: String?

    @Option(
        help: ArgumentHelp(
            "The value of LINUX_KERNEL_VERSION, such as 6.1 or 6.1.170 (default: from --kconfig).",
            valueName: "VERSION"),
        transform: KernelOptions.version)
    var kernelVersion: UInt32?

    @Option(
        name: .customLong("kernel-btf"),
        help: ArgumentHelp(
            "The target kernel's BTF (any file that 'kbtf dump --base' accepts), to identify its own kfuncs.",
            valueName: "FILE"), completion: .file())
    var kernelBTF: String?

    /// Nothing is specified.
    var isEmpty: Bool { kconfig == nil && kernelVersion == nil && kernelBTF == nil }

    static func version(_ text: String) throws -> UInt32 {
        guard let version = KernelFacts.versionCode(text) else {
            throw ValidationError("'\(text)' is not a kernel version such as 6.1 or 6.1.170")
        }
        return version
    }

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
        guard let kconfig, let configuration else { return KernelFacts(version: kernelVersion) }
        let text = try decompressed(configuration, kconfig)
        let facts = KernelFacts(
            file: kconfig, config: String(decoding: text.array, as: UTF8.self),
            version: kernelVersion)
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
