// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import HostIO
package import KernelTree

/// A kernel to boot.
package struct Kernel: Sendable {
    /// Its image.
    package let path: String
    package let architecture: Architecture
    /// nil if neither the image nor its path names it.
    package let release: KernelRelease?
    /// Its `/lib/modules/R`; nil if there is none.
    package let modules: String?

    /// Its name in messages.
    package var name: String { release?.text ?? path }

    /// Refuses modules that this kernel would refuse: with MODVERSIONS those with other checksums
    /// of symbols, otherwise those for another release.
    package func check(_ modules: [ModuleInfo]) throws(VMError) {
        let folder = self.modules
        try ModuleSet.check(modules, for: release) {
            ModuleRules(
                release, modules: folder, headers: folder.map { $0 + "/build" }, image: path)
        }
    }

    /// - Parameters:
    ///   - text: a release, the path of an image, or the directory of an unpacked kernel package.
    ///   - roots: directories that contain kernels as `/` does, in order.
    package init(_ text: String, roots: [String]) throws(VMError) {
        let status = FileStatus(text)
        if status.isDirectory {
            let images = Kernel.images(below: text)
            guard let image = images.first, images.count == 1 else {
                throw VMError(
                    "\(text): "
                        + (images.isEmpty
                            ? "no kernel image in it (searched boot/vmlinuz-*, boot/vmlinux-* and lib/modules/*/vmlinuz)"
                            : "several kernel images: \(images.joined(separator: ", "))"),
                    hint: images.isEmpty ? nil : "pass one of them")
            }
            try self.init(image: image, roots: [text] + roots)
        } else if status.exists {
            try self.init(image: text, roots: roots)
        } else if let release = KernelRelease(text) {
            let places = roots.flatMap { root in
                KernelImage.places(of: release).map { Kernel.trimmed(root) + "/" + $0 }
            }
            guard let image = places.first(where: { FileStatus($0).isRegular }) else {
                throw VMError(
                    "no image of kernel \(release): searched boot/vmlinuz-\(release), "
                        + "boot/vmlinux-\(release) and lib/modules/\(release)/vmlinuz below "
                        + roots.joined(separator: ", "),
                    hint: "unpack its package (dpkg -x) and pass the directory with --kernel")
            }
            try self.init(image: image, roots: roots)
        } else {
            throw VMError("\(text): not a file, directory or kernel release")
        }
    }

    private init(image path: String, roots: [String]) throws(VMError) {
        let view: ByteView
        do throws(HostError) { view = try FileReader.map(path) } catch { throw VMError(error) }
        let named: KernelRelease?
        (architecture, named) =
            try ELFFile.isELF(view) ? Kernel.vmlinux(view, path) : Kernel.image(view, path)
        self.path = path
        release = named ?? KernelRelease.inPath(path)
        let near = Kernel.root(of: path).map { [$0] } ?? []
        modules = release.flatMap { release in
            (near + roots).flatMap { root in
                ["lib", "usr/lib"].map { "\(Kernel.trimmed(root))/\($0)/modules/\(release)" }
            }.first { FileStatus($0 + "/kernel").isDirectory }
        }
    }

    private static func image(
        _ view: ByteView, _ path: String
    ) throws(VMError) -> (Architecture, KernelRelease?) {
        guard let image = KernelImage(view) else {
            throw VMError(
                "\(path): not a kernel image",
                hint: view.hasBytes("!<arch>")
                    ? "unpack the package with dpkg -x and pass the directory" : nil)
        }
        guard let architecture = image.machine.flatMap({ Architecture.named($0) }) else {
            throw unsupported(path, "an image (\(image.name))")
        }
        guard architecture.unpacksEFI || !image.isSelfExtractingEFI else {
            throw VMError(
                "\(path): an image (\(image.name)) that QEMU does not unpack for "
                    + architecture.name, hint: "pass the kernel's Image")
        }
        return (architecture, image.release)
    }

    /// An ELF file, which some machines boot: the kernel itself, or a program that unpacks it.
    private static func vmlinux(
        _ view: ByteView, _ path: String
    ) throws(VMError) -> (Architecture, KernelRelease?) {
        let file: ELFFile
        do throws(ELFError) { file = try ELFFile(view, path: path) } catch { throw VMError(error) }
        guard [ELFType.executable, ELFType.shared].contains(file.type) else {
            throw VMError("\(path): not a kernel image but an ELF file of another type")
        }
        guard let architecture = Architecture.all.first(where: { $0.runs(file) }) else {
            throw unsupported(path, "an ELF file")
        }
        guard architecture.bootsELF else {
            throw VMError(
                "\(path): an ELF file, which \(architecture.name) guests do not boot",
                hint: "pass the kernel's image (vmlinuz)")
        }
        return (architecture, KernelRelease.of(file))
    }

    private static func unsupported(_ path: String, _ what: String) -> VMError {
        VMError(
            "\(path): \(what) for an unsupported machine; supported are "
                + Architecture.all.map { $0.name }.joined(separator: ", "))
    }

    /// The images in the directory of an unpacked package.
    package static func images(below root: String) -> [String] {
        let root = trimmed(root)
        let boot = (try? Directory.list(root + "/boot")) ?? []
        var found = boot.filter { name in
            name.hasPrefix("vmlinuz-")
                // Beside an image it is there for debuggers.
                || name.hasPrefix("vmlinux-")
                    && !boot.contains("vmlinuz-" + name.dropFirst("vmlinux-".count))
        }.map { "\(root)/boot/\($0)" }
        for lib in ["lib", "usr/lib"]
        where !FileStatus("\(root)/\(lib)", followLinks: false).isSymbolicLink {
            for release in (try? Directory.list("\(root)/\(lib)/modules")) ?? [] {
                let folder = "\(root)/\(lib)/modules/\(release)"
                found += ["vmlinuz", "vmlinuz.unsigned"].map { "\(folder)/\($0)" }
                    .filter { FileStatus($0).isRegular }
            }
        }
        return found
    }

    /// The root of the image at `path`, if it is at one of the usual places below one.
    private static func root(of path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count >= 2, parts[parts.count - 2] == "boot" {
            return parts.dropLast(2).joined(separator: "/") + "/"
        }
        if parts.count >= 4, parts[parts.count - 3] == "modules", parts[parts.count - 4] == "lib" {
            let above = parts.dropLast(4)
            return (above.last == "usr" ? above.dropLast() : above).joined(separator: "/") + "/"
        }
        return nil
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
