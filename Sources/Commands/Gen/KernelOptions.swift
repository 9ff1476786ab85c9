// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BPFObject
import BTF
import Bytes
import Console
import HostIO
import KernelTree

/// What the user says of the kernel that a loader is for. The machine that it is made on is never asked.
struct KernelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The configuration of the kernel it is for, also compressed: what __kconfig variables hold.",
            valueName: "FILE"), completion: .file())
    var kconfig: String?

    @Option(
        help: ArgumentHelp(
            "What LINUX_KERNEL_VERSION is, such as 6.1 or 6.1.170 (default: what --kconfig has).",
            valueName: "VERSION"),
        transform: KernelOptions.version)
    var kernelVersion: UInt32?

    @Option(
        name: .customLong("kernel-btf"),
        help: ArgumentHelp(
            "The BTF of the kernel it is for (as --base of 'kbtf dump' takes it): which kfuncs are its own.",
            valueName: "FILE"), completion: .file())
    var kernelBTF: String?

    /// Nothing is said.
    var isEmpty: Bool { kconfig == nil && kernelVersion == nil && kernelBTF == nil }

    static func version(_ text: String) throws -> UInt32 {
        guard let version = KernelFacts.versionCode(text) else {
            throw ValidationError("'\(text)' is no kernel version, such as 6.1 or 6.1.170")
        }
        return version
    }

    /// What the file of `--kconfig` holds; nil without one. It may be a pipe, so it is to be read once.
    func configuration() throws(Failure) -> ByteView? {
        guard let kconfig else { return nil }
        do throws(HostError) {
            return try FileReader.map(kconfig, limit: Self.longestConfig)
        } catch { throw Failure(error) }
    }

    /// - Parameter configuration: as `configuration()` gave it.
    func facts(_ configuration: ByteView?) throws(Failure) -> KernelFacts {
        guard let kconfig, let configuration else { return KernelFacts(version: kernelVersion) }
        let text = try decompressed(configuration, kconfig)
        let facts = KernelFacts(
            file: kconfig, config: String(decoding: text.array, as: UTF8.self),
            version: kernelVersion)
        guard !facts.isEmpty else {
            throw Failure(
                "\(kconfig): no kernel configuration: not a line CONFIG_NAME=value",
                hint: "take /boot/config-R, /proc/config.gz or a kernel tree's .config")
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
            throw Failure("\(path): \(text.count) bytes are too many for a kernel configuration")
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
