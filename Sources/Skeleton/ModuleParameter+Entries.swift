// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import CEmit

/// A rule for a map's number of entries that only the kernel's own headers can decide.
enum EntriesCheck: Sendable, Equatable {
    /// A power of two, and whole pages.
    case pages
    /// No more than the kernel may have CPUs.
    case processors
}

extension ModuleParameter {
    /// `NAME=MAP`: the number of entries that `map` has at most.
    static func entries(
        _ wish: Wish, of name: String, in skeleton: LightSkeleton
    ) throws(ModuleError) -> ModuleParameter {
        let option = "--param \(wish.name)=\(name)"
        guard let map = skeleton.maps.first(where: { $0.identifier == name }) else {
            throw ModuleError("\(option): the object has no map with that name")
        }
        guard !map.values.isInternal else {
            throw ModuleError(
                "\(option): the map of a data section, whose size is that of its variables")
        }
        if let number = EntriesRule.fixed(for: map.values.type) {
            throw ModuleError(
                "\(option): kernels accept a map of this type only with max_entries \(number)")
        }
        let rule = EntriesRule(map.values.type)
        let parameter = ModuleParameter(
            wish.name, .entries(map: name), .number(bytes: 4, isSigned: false),
            initial: Int128(map.values.maxEntries),
            range: try narrowed(rule.range, to: wish, what: rule.unit), entries: rule.check)
        // A map without a size has to get one from the user.
        if map.values.maxEntries != 0 { try parameter.checkInitial() }
        return parameter
    }
}

/// The numbers of entries that kernels accept for maps of a type (their map_alloc_check()).
private struct EntriesRule {
    var range: ClosedRange<Int128> = 1...0xffff_ffff
    /// What is counted.
    var unit = "a number of entries"
    var check: EntriesCheck?

    init(_ type: UInt32) {
        switch type {
        case MapType.ringBuffer, MapType.userRingBuffer:
            range = 4096...1 << 31
            unit = "the bytes of a ring buffer"
            check = .pages
        case MapType.arena:
            range = 1...1 << 20
            unit = "the pages of an arena"
        case MapType.cpuMap: check = .processors
        // Rounded up to a power of two of 32 bits.
        case MapType.hash, MapType.perCPUHash, MapType.lruHash, MapType.lruPerCPUHash,
            MapType.hashOfMaps, MapType.stackTrace, MapType.sockHash, MapType.deviceHash:
            range = 1...1 << 31
        default: break
        }
    }

    /// The only number that is accepted, for types that have one.
    static func fixed(for type: UInt32) -> UInt32? {
        switch type {
        case MapType.cgroupStorage, MapType.perCPUCgroupStorage, MapType.socketStorage,
            MapType.inodeStorage, MapType.taskStorage, MapType.cgroupLocalStorage:
            0
        case MapType.structOps: 1
        default: nil
        }
    }
}
