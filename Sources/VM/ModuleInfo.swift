// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import ELF
import HostIO
package import KernelTree

/// The properties of a kernel module that matter for loading it.
package struct ModuleInfo: Sendable {
    package let path: String
    /// What the kernel compares before it links it.
    private let modinfo: Modinfo
    /// Its name in the kernel, with `_` for `-`.
    package let name: String
    /// Modules it depends on.
    package let dependencies: [String]
    /// Alternative names by which it can be requested.
    package let aliases: [String]
    /// Modules to load before and after it if they exist: `softdep=`.
    package let wishesBefore: [String]
    package let wishesAfter: [String]
    /// The kernel it was built for.
    package let release: KernelRelease?
    /// The file, decompressed.
    package let bytes: ByteView
    /// `.BTF`, if there is one; nil for the module that holds the kernel's own, which is not shown
    /// as this module's.
    package let btf: ByteView?
    /// It has `.BTF.base`, so the kernel shows other BTF than the file's.
    package let isDistilled: Bool

    /// Reads the module at `path`, which may be compressed.
    ///
    /// - Parameters:
    ///   - architecture: refuse a module for another machine.
    ///   - shown: its path in messages, if it is a copy.
    package init(
        _ path: String, for architecture: Architecture? = nil, shownAs shown: String? = nil
    ) throws(VMError) {
        self.path = shown ?? path
        let status = FileStatus(path)
        guard status.isRegular || status.isDirectory || !status.exists else {
            // It is read more than once.
            throw VMError("\(path): not a regular file")
        }
        bytes = try ModuleInfo.decompressed(path)
        let file: ELFFile
        var sections: [String: ByteView] = [:]
        do throws(ELFError) {
            file = try ELFFile(bytes, path: path)
            for name in [".modinfo", ".BTF", ".BTF.base"] {
                if let section = file.section(named: name) {
                    sections[name] = try file.rawData(of: section)
                }
            }
        } catch { throw VMError(error) }
        guard file.machine != ELFMachine.bpf else {
            throw VMError(
                "\(path): a BPF object, not a kernel module",
                hint: "kbtf gen module \(path) -o DIR && make -C DIR")
        }
        guard file.type == ELFType.relocatable, let data = sections[".modinfo"] else {
            throw VMError("\(path): not a kernel module (it has no .modinfo)")
        }
        if let architecture, !architecture.runs(file) {
            throw VMError("\(path): not a module for \(architecture.name)")
        }
        let values = Modinfo(data)
        modinfo = values
        name = values["name"].map { ModuleName.canonical($0) } ?? ModuleName.ofFile(path)
        // It becomes a file name and a word in the guest's list.
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }) else {
            throw VMError("\(path): .modinfo: invalid module name")
        }
        dependencies = values.all("depends").flatMap { $0.split(separator: ",") }
            .map { ModuleName.canonical($0) }
        aliases = values.all("alias").map { ModuleName.canonical($0) }
        (wishesBefore, wishesAfter) = ModuleInfo.wishes(values.all("softdep"))
        // Each one is searched among all modules.
        guard wishesBefore.count + wishesAfter.count <= 1000 else {
            throw VMError("\(path): .modinfo: softdep= with more than 1000 modules")
        }
        release = KernelRelease.inModinfo(data)
        btf = name == KernelBTFModule.name ? nil : sections[".BTF"]
        isDistilled = sections[".BTF.base"] != nil
    }

    /// Why a kernel with these rules refuses it; nil if nothing that is known keeps it out.
    package func refusal(by rules: ModuleRules) -> ModuleRules.Refusal? {
        guard let file = try? ELFFile(bytes, path: path) else { return nil }
        return rules.refusal(of: file, modinfo)
    }

    /// `pre: a b post: c`, in each of `texts`.
    private static func wishes(_ texts: [String]) -> (before: [String], after: [String]) {
        var before: [String] = []
        var after: [String] = []
        for text in texts {
            var isAfter: Bool?
            for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
                switch (word, isAfter) {
                case ("pre:", _): isAfter = false
                case ("post:", _): isAfter = true
                case (_, false): before.append(ModuleName.canonical(word))
                case (_, true): after.append(ModuleName.canonical(word))
                case (_, nil): break
                }
            }
        }
        return (before, after)
    }

    private static func decompressed(_ path: String) throws(VMError) -> ByteView {
        let view: ByteView
        do throws(HostError) { view = try FileReader.map(path) } catch { throw VMError(error) }
        guard let format = CompressionFormat.detect(view) else { return view }
        do throws(DecompressionError) {
            return try decompress(view, format: format, concatenated: true)
        } catch { throw VMError("\(path): \(error)") }
    }
}
