// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import BPFObject
import BTF
import Bytes
import CEmit
import Console
import HostIO
import Skeleton

/// Builds the values of an ordinary skeleton, or of a subskeleton, from a BPF object.
struct ObjectSkeletonSource {
    let path: String
    /// The name from the command line; nil: the file's.
    let name: String?
    /// Define the structs and unions of variables under names of their own.
    let definesTypes: Bool
    let isSubskeleton: Bool

    func read() throws(Failure) -> ObjectSkeleton {
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw Failure(error) }
        let object: BPFObject
        do throws(BPFObjectError) { object = try BPFObject(bytes, path: path) } catch {
            throw Failure(error)
        }
        if let obstacle = object.openingObstacle(of: LibBPF.version) { throw Failure(obstacle) }
        let name = try ObjectName.of(path, given: name, isSubskeleton ? "subskeleton" : "skeleton")
        let outline = try PerCPUSection.read(in: object, maps: \ObjectOutline.maps) {
            () throws(LibBPFError) in
            // Without a name, data sections have theirs in whatever object they end up.
            try ObjectOutline(object: bytes, path: path, name: isSubskeleton ? "" : name)
        }
        let types = try LoaderTypes.read(outline.types, path)
        let maps = outline.maps(with: object.operations)
        let contents = try contents(of: maps, object.arena, types, name)
        let skeleton = ObjectSkeleton(
            name: name, object: bytes.array,
            maps: zip(maps, contents).map { map, contents in
                ObjectSkeleton.Map(
                    identifier: map.identifier, name: map.name, contents: contents,
                    operations: types.flatMap { operations(of: map, $0) })
            }, programs: outline.programs.map(\.name))
        if let fault = skeleton.nameFault { throw Failure("\(path): \(fault)") }
        return skeleton
    }

    /// Of the maps that are data sections which user space may map, and of the arena.
    private func contents(
        of maps: [LoaderTrace.Map], _ arena: BPFObject.Arena?, _ types: BTF?, _ name: String
    ) throws(Failure) -> [ObjectSkeleton.Contents?] {
        let isMapped = maps.map { $0.isMappable && $0.initialValue != nil }
        // libbpf finds no variable of an arena for a subskeleton.
        let arenaMap =
            arena == nil || isSubskeleton
            ? nil : maps.firstIndex { $0.values.type == MapType.arena }
        guard let types else {
            return isMapped.map { $0 ? ObjectSkeleton.Contents(members: []) : nil }
        }
        // Without a DATASEC there is nothing but strings and constants without names.
        let described: [(type: TypeID, size: Int)?] = maps.indices.map { index in
            if index == arenaMap, let arena, let type = types.datasec(named: arena.section) {
                return (type, Int(clamping: arena.size))
            }
            let map = maps[index]
            guard isMapped[index], types.record(TypeID(map.valueType))?.kind == .datasec
            else { return nil }
            return (TypeID(map.valueType), map.initialValue?.count ?? 0)
        }
        var sections: [DataSection]
        do throws(BTFError) {
            sections = try DataSection.list(
                described.compactMap(\.self), in: types,
                prefix: definesTypes ? "\(name)__type_" : nil,
                as: isSubskeleton ? .pointers : .values)
        } catch { throw Failure("\(path): .BTF: \(error.message)") }
        sections.reverse()
        return maps.indices.map { index in
            guard described[index] != nil, let section = sections.popLast() else {
                return isMapped[index] ? ObjectSkeleton.Contents(members: []) : nil
            }
            return ObjectSkeleton.Contents(
                isArena: index == arenaMap, members: section.members, types: section.types,
                variables: section.variables.map {
                    LightSkeleton.Variable(name: $0.name, offset: $0.offset, size: $0.size)
                })
        }
    }

    // MARK: struct_ops

    /// The struct of a struct_ops map, which its variable has in the object.
    private func operations(of map: LoaderTrace.Map, _ btf: BTF) -> ObjectSkeleton.Operations? {
        guard map.values.type == MapType.structOps,
            let variable = btf.ids(named: map.name).lazy.compactMap({ btf.record($0) })
                .first(where: { $0.kind == .var }),
            let type = btf.withoutModifiers(variable.type), type.kind == .struct
        else { return nil }
        return try? OperationsStruct(type, in: btf).operations
    }
}

extension ObjectOutline {
    /// The maps, with those for variables in `.struct_ops` sections that this libbpf does not know:
    /// the one that the header is compiled for may.
    fileprivate func maps(with operations: [BPFObject.OperationsMap]) -> [LoaderTrace.Map] {
        let known = Set(maps.map(\.name))
        return maps
            + operations.filter { !known.contains($0.name) }.map {
                LoaderTrace.Map(
                    name: $0.name,
                    values: MapValues(
                        type: MapType.structOps, keySize: 4, valueSize: $0.size, maxEntries: 1,
                        flags: 0, isInternal: false), initialValue: nil, valueType: 0)
            }
    }
}

extension BTF {
    /// The first DATASEC with this name.
    fileprivate func datasec(named name: String) -> TypeID? {
        ids(named: name).first { record($0)?.kind == .datasec }
    }
}

/// The types of an object as libbpf completed them.
enum LoaderTypes {
    /// - Returns: nil for an object without types.
    /// - Throws: `Failure` if they cannot be read.
    static func read(_ bytes: [UInt8]?, _ path: String) throws(Failure) -> BTF? {
        guard let bytes else { return nil }
        do throws(BTFError) { return try BTF.parse(ByteView(bytes)) } catch {
            throw Failure("\(path): .BTF: \(error.message)")
        }
    }
}

/// The name of a skeleton.
enum ObjectName {
    /// - Parameters:
    ///   - given: from the command line.
    ///   - command: what to run with a name.
    /// - Throws: `Failure` if there is none and the file's is no identifier.
    static func of(
        _ path: String, given: String?, _ command: String
    ) throws(Failure) -> String {
        if let given { return given }
        // libbpf keeps 63 bytes of an object's name.
        guard let name = CIdentifier.named(after: path, without: [".o"]), name.utf8.count < 64
        else {
            throw Failure(
                "\(path): the file's name does not give a valid C identifier",
                hint: "kbtf gen \(command) \(path) name NAME")
        }
        return name
    }
}

extension LoaderTrace.Map {
    /// The map's name; for a data section the part after its dot: `NAME.data` and `.data.cust` give
    /// `data` and `data_cust`.
    var identifier: String {
        guard values.isInternal, let dot = name.firstIndex(of: ".") else { return name }
        return CIdentifier.sanitized(String(name[dot...].dropFirst()))
    }

    /// By libbpf's rule: a data section with externally visible variables.
    var isMappable: Bool {
        let mappable: UInt32 = 1 << 10
        return values.isInternal && values.flags & mappable != 0
    }
}
