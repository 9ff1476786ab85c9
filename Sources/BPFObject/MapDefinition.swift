// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// The declaration of a map. libbpf's `__uint(name, n)` is a pointer to an array of `n` elements,
/// `__type(name, t)` a pointer to `t`.
package struct MapDefinition: Sendable, Equatable {
    /// BPF_MAP_TYPE_*, see `MapType`.
    package var type: UInt32 = 0
    package var keySize: UInt32 = 0
    package var valueSize: UInt32 = 0
    package var maxEntries: UInt32 = 0
    /// BPF_F_*.
    package var flags: UInt32 = 0
    package var numaNode: UInt32 = 0
    package var extra: UInt64 = 0
    /// `extra` is declared by `__ulong`, an enum with one value, which libbpf reads since 1.4.
    package var hasLongExtra = false
    /// LIBBPF_PIN_BY_NAME.
    package var isPinned = false
    package var keyType: TypeID?
    package var valueType: TypeID?
    /// It has a member `values` of pointers to maps; at most one level.
    package var inner: [MapDefinition] = []

    package init() {}
}

/// The map types that matter here (include/uapi/linux/bpf.h).
package enum MapType {
    @inlinable package static var hash: UInt32 { 1 }
    @inlinable package static var array: UInt32 { 2 }
    @inlinable package static var programArray: UInt32 { 3 }
    @inlinable package static var perfEventArray: UInt32 { 4 }
    @inlinable package static var perCPUHash: UInt32 { 5 }
    @inlinable package static var perCPUArray: UInt32 { 6 }
    @inlinable package static var stackTrace: UInt32 { 7 }
    @inlinable package static var lruHash: UInt32 { 9 }
    @inlinable package static var lruPerCPUHash: UInt32 { 10 }
    @inlinable package static var arrayOfMaps: UInt32 { 12 }
    @inlinable package static var hashOfMaps: UInt32 { 13 }
    @inlinable package static var cpuMap: UInt32 { 16 }
    @inlinable package static var sockHash: UInt32 { 18 }
    @inlinable package static var cgroupStorage: UInt32 { 19 }
    @inlinable package static var perCPUCgroupStorage: UInt32 { 21 }
    @inlinable package static var socketStorage: UInt32 { 24 }
    @inlinable package static var deviceHash: UInt32 { 25 }
    @inlinable package static var structOps: UInt32 { 26 }
    @inlinable package static var ringBuffer: UInt32 { 27 }
    @inlinable package static var inodeStorage: UInt32 { 28 }
    @inlinable package static var taskStorage: UInt32 { 29 }
    @inlinable package static var userRingBuffer: UInt32 { 31 }
    /// BPF_MAP_TYPE_CGRP_STORAGE.
    @inlinable package static var cgroupLocalStorage: UInt32 { 32 }
    @inlinable package static var arena: UInt32 { 33 }

    package static func holdsMaps(_ type: UInt32) -> Bool {
        type == arrayOfMaps || type == hashOfMaps
    }
}

/// Flags of maps created for data sections.
enum MapFlag {
    /// BPF_F_RDONLY_PROG
    static var readOnlyForPrograms: UInt32 { 1 << 7 }
    /// BPF_F_MMAPABLE
    static var mappable: UInt32 { 1 << 10 }
}

/// Reads the struct of a variable in `.maps`.
struct MapDefinitionReader {
    let btf: BTF
    /// The map's name in messages.
    let name: String

    struct Fault: Error {
        let message: String
        var hint: String?
    }

    /// - Parameter isInner: it is the inner map of a map of maps.
    func read(_ structure: Record, isInner: Bool = false) throws(Fault) -> MapDefinition {
        var definition = MapDefinition()
        var named: Set<String> = []
        for (index, member) in structure.members.enumerated() {
            named.insert(member.name)
            switch member.name {
            case "type": definition.type = try number(member)
            case "max_entries": definition.maxEntries = try number(member)
            case "map_flags": definition.flags = try number(member)
            case "numa_node": definition.numaNode = try number(member)
            case "map_extra":
                if let value = longNumber(member) {
                    definition.extra = value
                    definition.hasLongExtra = true
                } else {
                    definition.extra = UInt64(try number(member))
                }
            case "key_size": try set(&definition.keySize, try number(member), "key")
            case "value_size": try set(&definition.valueSize, try number(member), "value")
            case "key":
                let (type, size) = try type(member)
                try set(&definition.keySize, size, "key")
                definition.keyType = type
            case "value":
                let (type, size) = try type(member)
                try set(&definition.valueSize, size, "value")
                definition.valueType = type
            case "values":
                guard !isInner else {
                    throw Fault(message: "map '\(name)': maps of maps cannot be nested")
                }
                guard index == structure.count - 1 else {
                    throw Fault(
                        message: "map '\(name)': 'values' is not the last member",
                        hint: "move it to the end of the struct")
                }
                try values(member, &definition)
            case "pinning":
                guard !isInner else {
                    throw Fault(message: "map '\(name)': an inner map cannot be pinned")
                }
                let value = try number(member)
                guard value < 2 else {
                    throw Fault(
                        message: "map '\(name)': pinning \(value) is unknown, expected 0 or 1")
                }
                definition.isPinned = value == 1
            default:
                throw Fault(
                    message: "map '\(name)': unknown member '\(member.name)'",
                    hint:
                        "a map has type, max_entries, key, value, key_size, value_size, map_flags, "
                        + "map_extra, numa_node, pinning and values")
            }
        }
        guard definition.type != 0 else { throw Fault(message: "map '\(name)' has no type") }
        if definition.type == MapType.ringBuffer || definition.type == MapType.userRingBuffer {
            definition.maxEntries = Self.ringBufferSize(definition.maxEntries)
        }
        return definition
    }

    /// The size that libbpf gives a ring buffer on a machine with pages of 4096 bytes: the next
    /// greater power of two of pages.
    static func ringBufferSize(_ size: UInt32) -> UInt32 {
        let page: UInt32 = 4096
        if size == 0 || size % page == 0 && (size / page).nonzeroBitCount == 1 { return size }
        var rounded = page
        while rounded <= size {
            let next = rounded.multipliedReportingOverflow(by: 2)
            if next.overflow { return size }
            rounded = next.partialValue
        }
        return rounded
    }

    private func set(_ size: inout UInt32, _ new: UInt32, _ what: String) throws(Fault) {
        guard size == 0 || size == new else {
            throw Fault(message: "map '\(name)': \(what) size \(new) conflicts with \(size)")
        }
        size = new
    }

    /// `__ulong(NAME, N)`.
    private func longNumber(_ member: Member) -> UInt64? {
        guard let type = btf.plain(member.type), type.kind == .enum || type.kind == .enum64,
            type.count == 1
        else { return nil }
        return type.enumValues.first?.bits
    }

    private func number(_ member: Member) throws(Fault) -> UInt32 {
        guard let pointer = btf.plain(member.type), pointer.kind == .ptr,
            let array = btf.record(pointer.type), array.kind == .array
        else {
            throw Fault(
                message: "map '\(name)': member '\(member.name)' is not a number",
                hint: "write __uint(\(member.name), N)")
        }
        return array.fixed(2)
    }

    private func type(_ member: Member) throws(Fault) -> (TypeID, UInt32) {
        guard let pointer = btf.record(member.type), pointer.kind == .ptr else {
            throw Fault(
                message: "map '\(name)': member '\(member.name)' is not a type",
                hint: "write __type(\(member.name), T)")
        }
        guard let size = btf.size(of: pointer.type) else {
            throw Fault(message: "map '\(name)': the type of '\(member.name)' has no size")
        }
        return (pointer.type, size)
    }

    private func values(_ member: Member, _ definition: inout MapDefinition) throws(Fault) {
        let holdsMaps = MapType.holdsMaps(definition.type)
        guard holdsMaps || definition.type == MapType.programArray else {
            throw Fault(
                message: "map '\(name)': only maps of maps and program arrays have 'values'",
                hint: "'type' must come before 'values'")
        }
        try set(&definition.valueSize, 4, "value")
        guard let array = btf.record(member.type), array.kind == .array, array.fixed(2) == 0,
            let pointer = btf.plain(TypeID(array.fixed(0))), pointer.kind == .ptr,
            let target = btf.plain(pointer.type)
        else {
            throw Fault(
                message: "map '\(name)': 'values' is not an array of pointers without a length",
                hint: "write __array(values, T)")
        }
        guard target.kind == (holdsMaps ? .struct : .funcProto) else {
            throw Fault(
                message: "map '\(name)': 'values' contains \(target.kind.word), expected "
                    + (holdsMaps ? "maps" : "functions"))
        }
        if holdsMaps { definition.inner = [try read(target, isInner: true)] }
    }
}
