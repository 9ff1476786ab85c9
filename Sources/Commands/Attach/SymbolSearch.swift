// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Attaching
import Bytes
import Console
import ELF
import HostIO
import KernelTree

/// Finds a kernel's symbols: in itself, beside it, or among debug packages.
struct SymbolSearch {
    /// The file with the kernel's BTF.
    let kernel: String
    let release: KernelRelease?
    let roots: [String]

    struct Found {
        let path: String
        let facts: ImageFacts
        let machine: String?
    }

    /// - Parameter option: the file that the user names; nil searches.
    /// - Returns: nil if there are none.
    func facts(named option: String?) throws(Failure) -> Found? {
        if let option {
            if let found = try read(option), found.facts.symbols != nil { return found }
            throw Failure(
                "--symbols \(option): neither a System.map nor a vmlinux with symbols",
                hint:
                    "Debian's System.map only names the package with both: linux-image-\(release?.text ?? "RELEASE")-dbg"
            )
        }
        var sets: Found?
        for path in candidates where FileStatus(path).isRegular {
            // What is found by chance need not be readable.
            guard let found = try? read(path) else { continue }
            if found.facts.symbols != nil { return found }
            sets = sets ?? found
        }
        return sets
    }

    private var candidates: [String] {
        var paths = [kernel]
        guard let release else { return paths }
        let folder = kernel.lastIndex(of: "/").map { String(kernel[..<$0]) } ?? "."
        paths.append("\(folder)/vmlinux")
        for root in roots {
            let root = root == "/" ? "" : root
            paths += [
                "\(root)/usr/lib/debug/boot/vmlinux-\(release)",
                "\(root)/usr/lib/debug/lib/modules/\(release)/vmlinux",
                "\(root)/usr/lib/debug/boot/System.map-\(release)",
            ]
        }
        paths += ["\(folder)/System.map-\(release)", "\(folder)/System.map"]
        for root in roots {
            let root = root == "/" ? "" : root
            paths += [
                "\(root)/boot/System.map-\(release)",
                "\(root)/lib/modules/\(release)/System.map",
                "\(root)/lib/modules/\(release)/build/vmlinux",
                "\(root)/usr/src/linux-headers-\(release)/vmlinux",
            ]
        }
        return paths
    }

    private func read(_ path: String) throws(Failure) -> Found? {
        let view: ByteView
        do throws(HostError) { view = try FileReader.map(path) } catch { throw Failure(error) }
        do throws(ELFError) {
            if ELFFile.isELF(view) {
                let elf = try ELFFile(view, path: path)
                guard elf.type != ELFType.relocatable || path != kernel else { return nil }
                let facts = try ImageFacts(kernel: elf)
                return facts.symbols == nil && facts.sets.isEmpty
                    ? nil : Found(path: path, facts: facts, machine: KernelMachine.name(of: elf))
            }
            let map = ImageFacts(map: view)
            guard map.symbols != nil else { return nil }
            // The image has what the symbols name.
            if let image = try? unpackedKernel(kernel) {
                let elf = try ELFFile(image, path: kernel)
                return Found(
                    path: path, facts: try ImageFacts(kernel: elf, map: view),
                    machine: KernelMachine.name(of: elf))
            }
            return Found(path: path, facts: map, machine: nil)
        } catch { throw Failure(error) }
    }
}
