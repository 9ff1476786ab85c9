// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BPFObject
import BTF
import Bytes
import HostIO

/// What is said of the kernel that an object is for, so that nothing is taken from the one that runs.
struct KernelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The configuration of the kernel it is for: what __kconfig variables hold.",
            valueName: "CONFIG"))
    var kconfig: String?

    @Option(
        help: ArgumentHelp(
            "Its version: what LINUX_KERNEL_VERSION holds.", valueName: "VERSION"))
    var kernelVersion: String?

    @Option(
        help: ArgumentHelp(
            "Its BTF, or vmlinux: tells the kernel's own kfuncs from those of modules.",
            valueName: "FILE"))
    var kernelBtf: String?

    /// Nothing is said.
    var isEmpty: Bool { kconfig == nil && kernelVersion == nil && kernelBtf == nil }

    func validate() throws {
        if let kernelVersion, KernelFacts.versionCode(kernelVersion) == nil {
            throw ValidationError(
                "--kernel-version: '\(kernelVersion)' is no version, such as 6.1 or 6.12.3")
        }
    }

    /// - Throws: `Failure` when the configuration cannot be read.
    func facts() throws(Failure) -> KernelFacts {
        let version = kernelVersion.flatMap { KernelFacts.versionCode($0) }
        guard let kconfig else { return KernelFacts(version: version) }
        do throws(HostError) {
            let text = try FileReader.map(kconfig).array
            return KernelFacts(
                file: kconfig, config: String(decoding: text, as: UTF8.self), version: version)
        } catch { throw Failure(error) }
    }

    /// The BTF named, if one is.
    func btf() throws(Failure) -> BTF? {
        guard let kernelBtf else { return nil }
        guard let file = try BTFFile.open(kernelBtf, cache: nil) else {
            throw Failure("\(kernelBtf): .BTF: no such section")
        }
        do throws(BTFError) { return try BTF.parse(file.bytes) } catch {
            throw Failure("\(kernelBtf): \(file.place)\(error)")
        }
    }
}
