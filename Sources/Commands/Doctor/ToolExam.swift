// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import Diagnosis
import ELF
import HostIO
import KernelTree

/// Looks at the tools with which modules of a kernel get their BTF.
struct ToolExam {
    let kernel: SystemKernel
    /// The pahole that builds would run; nil if that cannot be told.
    let pahole: Pahole?
    /// The machine that the tools have to run on.
    let machine: String?
    /// Where kbtf is under the names of the tools that it replaces.
    let roles: String

    /// What `PATH` has for pahole.
    enum Pahole: Equatable {
        case missing
        /// 131 for 1.31, and where that is known from.
        case version(Int, String)
    }

    /// - Returns: what a build of a module would run into, and remarks about it.
    func run() -> (troubles: [BTFTrouble], remarks: [String]) {
        guard FileStatus(kernel.headers).isDirectory, kernel.config?.hasModuleBTF == true else {
            return ([], [])
        }
        // A build without a base runs none of the tools.
        guard kernel.headersHaveBase else {
            return (
                [],
                [
                    "\(kernel.headers)/vmlinux: no such file: kernel builds skip the BTF of modules; kbtf-make finds the BTF elsewhere"
                ]
            )
        }
        return (base() + resolver() + paholeTroubles(), [])
    }

    private func trouble(
        _ cause: Cause, _ subject: String, _ evidence: String, _ cure: Cure?
    ) -> BTFTrouble {
        BTFTrouble(
            cause, of: subject, .nextBuild, isSure: true, evidence: [evidence], cure: cure)
    }

    private var installHeaders: Cure {
        let installer = kernel.root.installer
        return Cure(installer.reinstall(installer.headers(kernel.release)))
    }

    // MARK: The headers

    private func base() -> [BTFTrouble] {
        let path = kernel.headers + "/vmlinux"
        do throws(KernelTreeError) {
            let base = try loadBase(path, cache: nil, isForReading: true)
            guard let image = kernel.base, image.path != path,
                base.digest.value != image.digest.value
            else { return [] }
            return [
                trouble(
                    .noHeaders, path,
                    "its BTF is not that of \(image.path): modules that are built on it do not fit the kernel",
                    installHeaders)
            ]
        } catch { return [trouble(.noHeaders, path, error.message, installHeaders)] }
    }

    private func resolver() -> [BTFTrouble] {
        let path = kernel.root.place(
            "/lib/modules/\(kernel.release)/build/tools/bpf/resolve_btfids/resolve_btfids")
        let status = FileStatus(path)
        guard status.isRegular else {
            return [
                trouble(.wrongTool, path, "no such file: builds end with error 127", installHeaders)
            ]
        }
        if status.mode & 0o111 == 0 {
            return [
                trouble(
                    .wrongTool, path, "it is not executable",
                    Cure(["chmod", "+x", path], isHarmless: true))
            ]
        }
        guard let view = try? FileReader.map(path), ELFFile.isELF(view) else { return [] }
        guard let elf = try? ELFFile(view, path: path) else {
            return [trouble(.wrongTool, path, "it is a damaged ELF file", installHeaders)]
        }
        let own = KernelMachine.name(of: elf)
        if let machine, own != machine, !(machine == "x86_64" && own == "i686") {
            return [
                trouble(
                    .wrongTool, path, "it is for \(own), this machine is \(machine)", installHeaders
                )
            ]
        }
        return []
    }

    // MARK: pahole

    private func paholeTroubles() -> [BTFTrouble] {
        let installer = kernel.root.installer
        switch pahole {
        case nil: return []
        case .missing:
            return [
                trouble(
                    .paholeMissing, "pahole", "it is not in PATH: builds end with error 127",
                    Cure(installer.install(installer.pahole)))
            ]
        case .version(let version, let place):
            let own = Self.text(version)
            if let asked = askedVersion, version < asked {
                return [
                    trouble(
                        .paholeTooOld, place,
                        "it is \(own); the kernel was configured with \(Self.text(asked)), and its builds use the options of that",
                        Cure(
                            installer.install(installer.pahole),
                            remark:
                                "or PAHOLE=\(roles)/pahole on make's command line"
                        ))
                ]
            }
            if version >= 124, kernel.target?.rules.has(.enum64) == false, !asksAgainstEnum64 {
                return [
                    trouble(
                        .paholeTooNew, place,
                        "it is \(own), which writes ENUM64 (since 1.24); Linux \(kernel.release) does not accept that, and its headers have no --skip_encoding_btf_enum64",
                        Cure(
                            [
                                "make", "-C", kernel.headers, "PAHOLE=\(roles)/pahole", "M=DIR",
                                "modules",
                            ],
                            remark:
                                "with kbtf in the place of pahole, which writes what the kernel accepts"
                        ))
                ]
            }
            return []
        }
    }

    /// CONFIG_PAHOLE_VERSION, by which makefiles choose options.
    private var askedVersion: Int? {
        guard let configured = kernel.config?["CONFIG_PAHOLE_VERSION"].flatMap({ Int($0) }),
            configured > 0
        else { return nil }
        return configured
    }

    private var asksAgainstEnum64: Bool {
        ["scripts/pahole-flags.sh", "scripts/Makefile.btf"].contains { name in
            kernel.root.text("/lib/modules/\(kernel.release)/build/\(name)", atMost: 1 << 20)?
                .contains("skip_encoding_btf_enum64") == true
        }
    }

    private static func text(_ version: Int) -> String {
        let minor = version % 100
        return "\(version / 100).\(minor < 10 ? "0" : "")\(minor)"
    }
}

extension ToolExam.Pahole {
    /// `v1.25` of `pahole --version`, or 1.25-0.1 as packages have it.
    init?(version text: String, from place: String) {
        let digits = text.drop { !$0.isNumber }
        let parts = digits.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let major = Int(parts[0]),
            let minor = Int(parts[1].prefix { $0.isNumber }), major < 100, minor < 100
        else { return nil }
        self = .version(major * 100 + minor, place)
    }

    /// Of a system that is not running: from its package.
    static func installed(in root: SystemRoot) -> ToolExam.Pahole? {
        if let status = root.text("/var/lib/dpkg/status", atMost: 256 << 20),
            let found = installed(inList: status)
        {
            return found
        }
        let isThere = ["/usr/bin/pahole", "/usr/local/bin/pahole", "/bin/pahole"].contains {
            root.exists($0)
        }
        return isThere ? nil : .missing
    }

    /// - Parameter status: what dpkg knows of packages: paragraphs with an empty line after each.
    private static func installed(inList status: String) -> ToolExam.Pahole? {
        var name: Substring = ""
        var isInstalled = false
        for line in status.split(separator: "\n") {
            if line.hasPrefix("Package: ") {
                (name, isInstalled) = (line.dropFirst(9), false)
            } else if name == "pahole" || name == "dwarves" {
                if line == "Status: install ok installed" { isInstalled = true }
                if isInstalled, line.hasPrefix("Version: ") {
                    return ToolExam.Pahole(
                        version: String(line.dropFirst(9)), from: "the package \(name)")
                }
            }
        }
        return nil
    }
}
