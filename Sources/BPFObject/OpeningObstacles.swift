// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension BPFObject {
    /// What `library` does not know: it refuses to open the object, without naming the version that
    /// would, or drops a part of it. nil if nothing is known.
    package func openingObstacle(of library: LibBPFVersion) -> BPFObjectError? {
        if isBigEndian != (UInt16(1).bigEndian == 1), library < .foreignOrder {
            return foreignOrder("opens objects", of: library)
        }
        if library < .arenas {
            if let map = maps.first(where: { $0.definition.hasLongExtra }) {
                return extraObstacle(map, library)
            }
            if let arena {
                return BPFObjectError(
                    file: file, section: arena.section,
                    "\(arena.size) bytes of arena variables, which libbpf \(library) does not know, "
                        + "but libbpf \(LibBPFVersion.arenas) does", hint: Self.arenaHint)
            }
        }
        return library < .perCPUData ? perCPUObstacle(of: library) : nil
    }

    /// The error for an object with variables in `.percpu`, if `library` does not know the section
    /// although its version may; nil for an object without them.
    package func perCPUObstacle(of library: LibBPFVersion) -> BPFObjectError? {
        maps.first { $0.contents?.kind == .perCPU }.map { perCPUObstacle($0, library) }
    }

    func perCPUObstacle(_ map: Map, _ library: LibBPFVersion) -> BPFObjectError {
        error(
            in: map,
            "map '\(map.name)' has variables of each CPU, which libbpf \(library) does not know, "
                + "but libbpf \(LibBPFVersion.perCPUData) of Linux 7.3 does",
            hint: "use kbtf with that libbpf (kbtf --version shows which it has), or a map of type "
                + "PERCPU_ARRAY")
    }

    func extraObstacle(_ map: Map, _ library: LibBPFVersion) -> BPFObjectError {
        error(
            in: map,
            "map '\(map.name)' has a map_extra of __ulong, which libbpf \(library) does not read, "
                + "but libbpf \(LibBPFVersion.arenas) does", hint: Self.arenaHint)
    }

    private static let arenaHint =
        "use kbtf with libbpf \(LibBPFVersion.arenas) or later; kbtf --version shows which it has"
}
