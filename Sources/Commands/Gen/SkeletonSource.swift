// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import BPFObject
import BTF
import Bytes
import CEmit
import Console
import Skeleton

/// Builds the values of a light skeleton from a BPF object.
struct SkeletonSource {
    let input: LoaderInput
    /// The name from the command line; nil: the file's.
    let name: String?
    /// Define the structs and unions of variables under names of their own.
    let definesTypes: Bool
    /// The ending of the names in the header that have the object's name, for code that no one
    /// else includes.
    var ending = ""

    private var path: String { input.path }

    func read() throws(Failure) -> LightSkeleton {
        let name = try ObjectName.of(path, given: name, "skeleton -L")
        let trace = try PerCPUSection.read(in: input.object, maps: \LoaderTrace.maps) {
            () throws(LibBPFError) in
            try LoaderTrace.run(object: input.bytes, path: path, name: name, facts: input.facts)
        }
        let types = try LoaderTypes.read(trace.types, path)
        let contents = try contents(trace.maps, name + ending, types)
        let maps = zip(trace.maps, contents).map(self.map)
        let helpers = Dictionary(
            input.object.programs.map { ($0.name, input.object.helpers(of: $0)) },
            uniquingKeysWith: { first, _ in first })
        let skeleton = LightSkeleton(
            name: name, prefix: name + ending, maps: maps,
            programs: trace.programs.map {
                LightSkeleton.Program(
                    identifier: $0.name, type: $0.type, expectedAttachType: $0.expectedAttachType,
                    section: $0.section,
                    attachment: LightSkeleton.Attachment(
                        type: $0.type, attachType: $0.expectedAttachType, section: $0.section,
                        isLoaded: $0.isLoaded),
                    isLoaded: $0.isLoaded, helpers: helpers[$0.name] ?? [])
            },
            data: trace.data, instructions: trace.instructions,
            byteOrder: types?.bigEndian == true ? .big : .little,
            declared: types.map { DeclaredVariable.list(in: $0) } ?? [])
        if let fault = skeleton.nameFault { throw Failure("\(path): \(fault)") }
        return skeleton
    }

    private func map(
        _ map: LoaderTrace.Map, _ contents: LightSkeleton.Contents?
    ) -> LightSkeleton.Map {
        LightSkeleton.Map(
            identifier: map.identifier,
            kernelName: kernelName(map.name),
            values: map.values, contents: contents)
    }

    /// The name in the kernel: libbpf replaces characters that are not allowed with underscores.
    /// Data sections may be called `.data.a-b`.
    private func kernelName(_ name: String) -> String {
        let bytes = name.utf8.prefix(15).map { byte in
            (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2e ? byte : 0x5f
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sections that user space may map, by libbpf's rule: those with externally visible variables.
    /// And those of which each CPU has a copy.
    private func contents(
        _ maps: [LoaderTrace.Map], _ prefix: String, _ types: BTF?
    ) throws(Failure) -> [LightSkeleton.Contents?] {
        let readOnlyForPrograms: UInt32 = 1 << 7
        let mapped = maps.map {
            types != nil && ($0.isMappable || $0.isPerCPU && $0.valueType != 0)
                ? $0.initialValue : nil
        }
        guard let types else { return mapped.map { _ in nil } }
        var sections: [DataSection]
        do throws(BTFError) {
            sections = try DataSection.list(
                zip(maps, mapped).compactMap { map, bytes in
                    bytes.map { (TypeID(map.valueType), $0.count) }
                }, in: types, prefix: definesTypes ? "\(prefix)__type_" : nil)
        } catch { throw Failure("\(path): .BTF: \(error.message)") }
        sections.reverse()
        return zip(maps, mapped).map { map, bytes in
            guard let bytes, let section = sections.popLast() else { return nil }
            return LightSkeleton.Contents(
                bytes: bytes, members: section.members, types: section.types,
                isReadOnly: map.values.flags & readOnlyForPrograms != 0,
                isPerCPU: map.isPerCPU,
                variables: section.variables.map {
                    LightSkeleton.Variable(
                        name: $0.name, offset: $0.offset, size: $0.size, scalar: $0.scalar,
                        isFolded: $0.isFolded)
                })
        }
    }
}
