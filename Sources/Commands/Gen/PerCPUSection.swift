// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import BPFObject
import Console

/// Whether libbpf knows the section `.percpu`: its version does not say.
enum PerCPUSection {
    /// What `read` finds in `object` with libbpf.
    ///
    /// - Throws: `Failure` that names the version of libbpf if this one refuses the section, or
    ///   ignores it.
    static func read<Found>(
        in object: BPFObject, maps: KeyPath<Found, [LoaderTrace.Map]>,
        _ read: () throws(LibBPFError) -> Found
    ) throws(Failure) -> Found {
        let obstacle = object.perCPUObstacle(of: LibBPF.version)
        let found: Found
        do throws(LibBPFError) { found = try read() } catch {
            // It refers to a section without a map.
            if let obstacle, error.log.contains(where: { $0.contains(".percpu") }) {
                throw Failure(obstacle)
            }
            throw Failure(error)
        }
        if let obstacle, !found[keyPath: maps].contains(where: \.isPerCPU) {
            throw Failure(obstacle)
        }
        return found
    }
}
