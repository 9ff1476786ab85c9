// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Commands
import Console
import HostIO
import KernelTree
import VM

/// The kernels that `--kernel` names.
struct NamedKernels {
    private(set) var kernels: [Kernel] = []
    /// What named each of them.
    private(set) var arguments: [String] = []
    /// What it unpacked for this run is removed with it.
    private let cache: PackageCache

    init(
        _ names: [String], _ arguments: VMRunArguments, _ surroundings: Surroundings,
        _ talk: Talk
    ) throws(VMError) {
        cache = PackageCache(surroundings)
        let roots = surroundings.kernelRoots(arguments.machine.sysroot)
        let fetched = PackageNames(surroundings, mayFetch: arguments.fetch, talk)
        // Several packages may be one kernel, which is where the first of them is.
        var files: [String] = []
        for name in names where !files.contains(name) && PackageCache.isPackage(name) {
            files.append(name)
        }
        var hasFiles = false
        for name in names {
            let status = FileStatus(name)
            defer {
                self.arguments += Array(
                    repeating: name, count: kernels.count - self.arguments.count)
            }
            do throws(Failure) {
                if files.contains(name) {
                    if !hasFiles { try add(cache.kernels(in: files), roots) }
                    hasFiles = true
                } else if status.isDirectory, Kernel.images(below: name).isEmpty,
                    case let found = PackageCache.packages(in: name), !found.isEmpty
                {
                    try add(cache.kernels(in: found), roots)
                } else if !status.exists, PackageNames.isOne(name) {
                    try add(
                        cache.kernels(in: fetched.files(of: name), among: true), roots)
                } else {
                    kernels.append(try NamedKernels.kernel(name, roots))
                }
            } catch { throw VMError(error) }
        }
    }

    private mutating func add(
        _ found: [PackageCache.Kernel], _ roots: [String]
    ) throws(Failure) {
        for kernel in found {
            let name = kernel.sources.joined(separator: ", ")
            guard let image = kernel.image else {
                throw Failure(
                    "\(name): it has no image of \(kernel.release)",
                    hint: "add the package that has the image, with another --kernel")
            }
            kernels.append(try NamedKernels.kernel(image, roots))
        }
    }

    private static func kernel(_ text: String, _ roots: [String]) throws(Failure) -> Kernel {
        do throws(VMError) { return try Kernel(text, roots: roots) } catch {
            throw Failure(error)
        }
    }
}
