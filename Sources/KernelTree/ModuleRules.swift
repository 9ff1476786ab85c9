// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
package import ELF

/// What a kernel compares modules with before it links them (kernel/module/main.c and version.c):
/// vermagic, and with CONFIG_MODVERSIONS the checksums of symbols.
package struct ModuleRules: Sendable {
    /// nil if it is not known.
    package let release: KernelRelease?
    /// nil if it was found neither in a module nor in the image.
    package let vermagic: Vermagic?
    /// nil for a kernel without checksums, or if they were not found.
    package let symbols: SymbolVersions?

    /// Why a kernel refuses a module.
    package enum Refusal: Sendable {
        case vermagic(own: String, expected: String)
        case release(KernelRelease)
        case symbols(first: String, others: Int, listed: String)
    }

    /// - Parameters:
    ///   - modules: the kernel's, `/lib/modules/RELEASE`.
    ///   - headers: what its modules are built against, with a `Module.symvers`.
    ///   - image: its image or vmlinux, read for what the others do not have.
    package init(
        _ release: KernelRelease?, modules: String?, headers: String?, image: String?
    ) {
        self.release = release
        var vermagic = modules.flatMap { Vermagic.ofModules(below: $0) }
        var symbols = headers.flatMap { SymbolVersions.read($0 + "/Module.symvers") }
        if vermagic == nil || symbols == nil, let image,
            let vmlinux = (try? unpackedKernel(image)) ?? nil
        {
            if vermagic == nil, let release {
                vermagic = Vermagic.inKernel(vmlinux, release)
            }
            symbols = symbols ?? SymbolVersions.inKernel(vmlinux, image)
        }
        self.vermagic = vermagic
        self.symbols = symbols
    }

    /// Why the kernel refuses the module; nil if nothing that is known here keeps it from linking.
    package func refusal(of module: ELFFile, _ info: Modinfo) -> Refusal? {
        let own = info["vermagic"] ?? ""
        let hasVersions = module.hasSymbolVersions
        if let vermagic {
            guard vermagic.accepts(Vermagic(own), hasVersions: hasVersions) else {
                return .vermagic(own: own, expected: vermagic.description)
            }
        } else if let release, !hasVersions, let built = Vermagic(own).release, built != release {
            return .release(built)
        }
        guard let differing = symbols?.differences(from: module), let first = differing.first,
            let symbols
        else { return nil }
        return .symbols(first: first, others: differing.count - 1, listed: symbols.path)
    }

    /// What could not be compared although it matters for the module.
    package func unknowns(of module: ELFFile, _ info: Modinfo) -> [String] {
        let isOwn =
            release != nil && Vermagic(info["vermagic"] ?? "").release == release
        var unknowns: [String] = []
        if vermagic == nil { unknowns.append("the kernel's vermagic was not found") }
        if symbols == nil, module.hasSymbolVersions, !isOwn {
            unknowns.append("the kernel's checksums of symbols were not found")
        }
        return unknowns
    }
}

extension ModuleRules.Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .vermagic(let own, let expected):
            return "its vermagic is '\(own)', that of the kernel's modules '\(expected)'"
        case .release(let release): return "its vermagic says \(release)"
        case .symbols(let first, let others, let path):
            let more = others > 0 ? " and of \(others) more" : ""
            return "the checksum of \(first)\(more) is not that in \(path)"
        }
    }
}
