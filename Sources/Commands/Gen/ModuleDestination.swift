// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO
import Skeleton

/// The directory that a module is written to.
struct ModuleDestination {
    let path: String

    /// The output of `kbtf gen selftest` in the old directory stays.
    private static let kept = ["selftest"]

    /// Replaces the directory as a whole, or creates it. One with files that `kbtf gen module` did
    /// not write is left alone.
    func write(_ files: [(path: String, contents: ByteView)]) throws(Failure) {
        let status = FileStatus(path)
        guard !status.exists || status.isDirectory else {
            throw Failure("\(path): a file with this name exists")
        }
        if status.isDirectory { try check() }
        do throws(HostError) {
            try AtomicFolder.replace(path, with: files, keeping: Self.kept)
        } catch { throw Failure(error) }
    }

    private func check() throws(Failure) {
        let names: [String]
        do throws(HostError) { names = try Directory.list(path) } catch { throw Failure(error) }
        guard !names.isEmpty else { return }
        guard FileStatus(path).identity != FileStatus(".").identity else {
            throw Failure(
                "\(path): cannot replace the directory that kbtf runs in",
                hint: "use another directory with -o")
        }
        let hint = "use another directory with -o, or remove this one"
        guard let own = try ownFiles(among: names) else {
            throw Failure("\(path): not empty, and not written by kbtf gen module", hint: hint)
        }
        for name in names where !own.contains(name) && !isBuilt(name) {
            throw Failure("\(path)/\(name): not written by kbtf gen module", hint: hint)
        }
        guard names.contains("bpf") else { return }
        let inner: [String]
        do throws(HostError) { inner = try Directory.list(path + "/bpf") } catch {
            throw Failure(error)
        }
        for name in inner where name != "skel_internal.h" {
            throw Failure("\(path)/bpf/\(name): not written by kbtf gen module", hint: hint)
        }
    }

    /// The names of files that belong to the module whose manifest is in the directory; nil without
    /// one.
    private func ownFiles(among names: [String]) throws(Failure) -> Set<String>? {
        for name in names where name.hasSuffix(".manifest") {
            let bytes: ByteView
            do throws(HostError) { bytes = try FileReader.map(path + "/" + name) } catch {
                throw Failure(error)
            }
            guard let text = String(validating: bytes.array, as: UTF8.self),
                let manifest = try? ModuleManifest(parsing: text)
            else { continue }
            let module = manifest.name
            return Set(
                ["Kbuild", "Kconfig", "Makefile", "bpf", name, "\(module).kconfig"]
                    + ["c", "lskel.h", "bpf.o"].map { "\(module).\($0)" } + Self.kept)
        }
        return nil
    }

    /// Whether kbuild creates such a file.
    private func isBuilt(_ name: String) -> Bool {
        if name.hasPrefix(".tmp_") { return true }
        let endings = [".o", ".ko", ".mod", ".mod.c", ".symvers", ".order", ".a", ".cmd", ".d"]
        return endings.contains { name.hasSuffix($0) }
            && !FileStatus(path + "/" + name, followLinks: false).isDirectory
    }
}
