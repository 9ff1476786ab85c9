// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Foundation
import HostIO
import TestSupport

/// A directory with what `kbtf doctor` looks at in a system: a kernel with headers, whose BTF is of
/// a few types, and modules.
struct SampleSystem {
    static let features = " SMP preempt mod_unload modversions "

    let release: String
    let scratch: Scratch
    var root: String { scratch.path }
    var folder: String { "lib/modules/\(release)" }

    /// The types of its kernel.
    static let kernel = "struct first { int x[2]; } first;" + Sample.source
    /// The types of another build: others come first.
    static let otherKernel = "struct zeroth { long s; } z; struct minus { int a, b; } m;" + kernel

    /// The same source in each module.
    static let source =
        Sample.source
        + "struct own { struct item *i; long n; }; int use(struct own *o) { return !o->i + o->n; }"

    init(release: String = "6.12.7-test", config: String = "") throws {
        self.release = release
        scratch = try Scratch()
        let build = "\(folder)/build"
        try scratch.write("\(build)/include/config/kernel.release", release + "\n")
        try scratch.write(
            "\(build)/include/config/auto.conf",
            """
            CONFIG_DEBUG_INFO_BTF=y
            CONFIG_DEBUG_INFO_BTF_MODULES=y
            CONFIG_PAHOLE_VERSION=125
            \(config)
            """)
        try scratch.write("\(build)/Makefile", "")
        try addVmlinux()
        try scratch.write(
            "\(build)/tools/bpf/resolve_btfids/resolve_btfids", "#!/bin/sh\n", mode: 0o755)
        try scratch.write("var/log/dmesg", "")
        try setPahole("1.25-1")
        try addModule("kernel/first.ko", fields: ["intree=Y"])
    }

    func addVmlinux(_ source: String = kernel) throws {
        let vmlinux = try Sample.compile(scratch, "vmlinux.o", source: source)
        try kbtf("encode", "--standalone", "--no-mark", vmlinux)
        try scratch.write("\(folder)/build/vmlinux", Sample.bytes(vmlinux))
    }

    func setPahole(_ version: String) throws {
        try scratch.write(
            "var/lib/dpkg/status",
            """
            Package: pahole
            Status: install ok installed
            Version: \(version)

            Package: pahole-doc
            Status: install ok installed
            Version: 1.0-1

            """)
    }

    /// Adds a module with split BTF on the kernel's.
    ///
    /// - Parameters:
    ///   - base: the source of the kernel that it is encoded on; nil: it has no BTF.
    @discardableResult
    func addModule(
        _ name: String, vermagic: String? = nil, fields: [String] = [],
        on base: String? = kernel,
        source: String = source, options: String = "-g"
    ) throws -> String {
        let path = try Sample.compile(
            scratch, "\(folder)/\(name)", source: source, options: options)
        let file = name.split(separator: "/").last!.prefix { $0 != "." }
        let modinfo = try scratch.write(
            "modinfo",
            (["license=GPL", "name=\(file)", "vermagic=\(vermagic ?? release + Self.features)"]
                + fields)
                .joined(separator: "\0") + "\0")
        try shell(
            "objcopy --add-section .modinfo='\(modinfo)' --set-section-flags .modinfo=alloc,readonly '\(path)'"
        )
        if let base {
            let raw = try scratch.write("base.btf", Sample.rawBTF(base))
            try kbtf("encode", "--no-mark", "--base", raw, path)
            try shell("objcopy --strip-debug --keep-section=.BTF '\(path)'")
        }
        return path
    }

    /// Describes a module's BTF in its modinfo.
    func mark(_ module: String, _ mark: String) throws {
        let name = module.split(separator: "/").last!.prefix { $0 != "." }
        let modinfo = try scratch.write(
            "modinfo",
            ["license=GPL", "name=\(name)", "vermagic=\(release + Self.features)", mark]
                .joined(separator: "\0") + "\0")
        try shell("objcopy --update-section .modinfo='\(modinfo)' '\(module)'")
    }

    func kbtf(_ arguments: String...) throws {
        let result = try Command.kbtf(arguments)
        guard result.status == 0 else { throw Sample.Failed(result) }
    }

    func shell(_ line: String) throws {
        let result = try Command.shell("cd '\(root)' && \(line)")
        guard result.status == 0 else { throw Sample.Failed(result) }
    }

    /// The causes that doctor names, `cause subject` each.
    func causes(_ arguments: String..., status: Int32 = 1) throws -> [String] {
        let words = arguments.isEmpty ? [root] : arguments
        let result = try Command.kbtf(["doctor", "--json"] + words)
        guard result.status == status else { throw Sample.Failed(result) }
        return try JSONDecoder().decode(Report.self, from: Data(result.out)).troubles.map {
            "\($0.cause) \($0.subject.split(separator: "/").last ?? "")"
        }
    }

    private struct Report: Decodable {
        struct Trouble: Decodable {
            let cause: String
            let subject: String
        }

        let troubles: [Trouble]
    }
}
