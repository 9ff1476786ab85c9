// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// The types that relocations of BPF objects may refer to: a kernel's, and those that its modules
/// add. Each type is known by where it is from and its id there.
package struct RelocationTargets: Sendable {
    /// A type and the BTF that it is in.
    package struct Place: Hashable, Sendable {
        /// 0 for the kernel.
        package let source: Int
        package let type: TypeID
    }

    /// The kernel's first.
    package let sources: [BTF]
    /// Named types by name without flavor, of those names that were asked for.
    private var places: [ArraySlice<UInt8>: [Place]] = [:]

    /// - Parameters:
    ///   - modules: those that are split continue `kernel`.
    ///   - objects: whose relocations it is for.
    package init(kernel: BTF, modules: [BTF] = [], for objects: [RelocatedObject]) {
        sources = [kernel] + modules
        var wanted: Set<ArraySlice<UInt8>> = []
        for object in objects {
            for relocation in object.relocations {
                guard let name = object.btf.record(relocation.type)?.nameBytes else { continue }
                wanted.insert(essentialName(name))
            }
        }
        wanted.remove([])
        guard !wanted.isEmpty else { return }
        for (source, btf) in sources.enumerated() {
            for record in btf.ownRecords {
                let name = essentialName(record.nameBytes)
                guard wanted.contains(name) else { continue }
                places[name, default: []].append(Place(source: source, type: record.id))
            }
        }
    }

    /// The types that may stand for a type of an object. Those of modules count only if the kernel
    /// has none, which is where libbpf stops searching.
    func candidates(for local: Record) -> [Place] {
        let name = essentialName(local.nameBytes)
        guard !name.isEmpty else { return [] }
        let found = (places[name] ?? []).filter { place in
            sources[place.source].record(place.type).map { $0.kind.isLike(local.kind) } ?? false
        }
        guard found.first?.source == 0 else { return found }
        return found.filter { $0.source == 0 }
    }

    /// Where the type with this id is described, for one that `source` uses.
    func place(_ type: TypeID, in source: Int) -> Place {
        let btf = sources[source]
        return Place(source: btf.isSplit && type.rawValue < btf.firstID ? 0 : source, type: type)
    }
}
