// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Synchronization
internal import Tables

/// The names of the types being built, shared by all threads that read units: equal names have
/// equal numbers. A number is an offset in the base's strings or, from `stringBase` on, in the own
/// strings, which are stored in order of arrival and are laid out again at the end.
package final class NamePool: Sendable {
    private let base: BaseIndex?
    private let own: Mutex<ByteInterner>
    /// Length in bytes of the base's strings.
    package let stringBase: UInt32
    /// Most bytes that own names may take.
    private let limit: Atomic<Int>
    private let refused = Atomic<Bool>(false)

    /// - Parameter names: about how many own names there will be.
    package init(base: BaseIndex?, limit: Int = Int(Int32.max), expecting names: Int = 512) {
        self.base = base
        self.limit = Atomic(min(limit, Int(Int32.max)))
        stringBase = base.map { $0.stringLength } ?? 0
        // Without a base the empty name takes offset 0 of the own strings.
        own = Mutex(ByteInterner(leadingEmpty: base == nil, expecting: names))
    }

    /// The number of `name`, which has no NUL; nil if the own names would exceed the size limit.
    package func intern(_ name: RawSpan) -> UInt32? { intern(name, hash: hashBytes(name)) }

    /// - Parameter hash: that of the name, see `hashBytes`.
    package func intern(_ name: RawSpan, hash: UInt64) -> UInt32? {
        if name.byteCount == 0 { return 0 }
        if let offset = base?.strings.find(name, hash: hash) { return UInt32(offset) }
        let offset = own.withLock { own -> Int? in
            let offset = own.intern(name, hash: hash)
            return own.bytes.count > limit.load(ordering: .relaxed) ? nil : offset
        }
        guard let offset else {
            refused.store(true, ordering: .relaxed)
            return nil
        }
        return stringBase + UInt32(offset)
    }

    /// The numbers of many strings, for a fraction of the time that one after the other takes.
    ///
    /// - Parameters:
    ///   - offsets: of strings in `low`, and behind it in `own`.
    ///   - low: NUL-terminated strings, as `own`.
    /// - Returns: a number for each; nil if the own names would exceed the size limit.
    func intern(_ offsets: borrowing Arena<UInt32>, _ low: [UInt8], _ own: [UInt8]) -> [UInt32]? {
        var numbers: [UInt32] = []
        numbers.reserveCapacity(offsets.count)
        var batch = Batch()
        for start in stride(from: 0, to: offsets.count, by: Self.together) {
            batch.removeAll()
            for index in start..<min(start + Self.together, offsets.count) {
                let offset = Int(offsets[index])
                if offset < low.count {
                    withBytes(low) { batch.take($0, offset, isLow: true) }
                } else {
                    withBytes(own) { batch.take($0, offset - low.count, isLow: false) }
                }
            }
            base?.strings.warm(batch.hashes, &batch.scratch)
            for index in batch.places.indices {
                let (place, hash) = (batch.places[index], batch.hashes[index])
                let number = withBytes(place.isLow ? low : own) {
                    intern($0.extracting(place.start..<place.end), hash: hash)
                }
                guard let number else { return nil }
                numbers.append(number)
            }
        }
        return numbers
    }

    /// As many as a processor has reads of memory under way.
    private static let together = 16

    /// Strings that are looked up together.
    private struct Batch: ~Copyable {
        struct Place: BitwiseCopyable {
            let isLow: Bool
            let start: Int
            let end: Int
        }

        var places = Arena<Place>()
        var hashes = Arena<UInt64>()
        var scratch = Arena<UInt32>()

        mutating func removeAll() {
            places.removeAll()
            hashes.removeAll()
        }

        @inline(__always)
        mutating func take(_ strings: RawSpan, _ start: Int, isLow: Bool) {
            let start = min(start, strings.byteCount)
            let end = start + strings.stringLength(at: start)
            places.append(Place(isLow: isLow, start: start, end: end))
            hashes.append(hashBytes(strings.extracting(start..<end)))
        }
    }

    /// Allows for the names of another file with `bytes` of them at most.
    package func expect(bytes: Int) {
        var limit = self.limit.load(ordering: .relaxed)
        while true {
            let (sum, overflow) = limit.addingReportingOverflow(bytes)
            let new = overflow ? Int(Int32.max) : min(sum, Int(Int32.max))
            let result = self.limit.compareExchange(
                expected: limit, desired: new, ordering: .relaxed)
            if result.exchanged { return }
            limit = result.original
        }
    }

    /// Some name was not taken: what was made since may lack it.
    package var hasRefused: Bool { refused.load(ordering: .relaxed) }

    /// The number of a name that comes from no file; 0 where it was refused.
    package func intern(_ name: StaticString) -> UInt32 {
        withBytes(Array(name.description.utf8)) { intern($0) } ?? 0
    }

    package func intern(_ name: String) -> UInt32 {
        withBytes(name.systemBytes) { intern($0) } ?? 0
    }

    /// The bytes of a name, without the NUL.
    package func bytes(of name: UInt32) -> [UInt8] {
        if let base, name < stringBase { return Array(base.strings.name(at: Int(name))) }
        return own.withLock { own in
            let start = Int(name - stringBase)
            var end = start
            while end < own.bytes.count, own.bytes[end] != 0 { end += 1 }
            return Array(own.bytes[start..<end])
        }
    }

    /// All names as they are now. Do not keep it while names are added: they would be copied.
    package func list() -> NameList {
        NameList(
            base: base?.strings ?? .empty, own: own.withLock { $0.bytes },
            stringBase: Int(stringBase))
    }
}

/// The bytes behind the numbers that a `NamePool` had given when this list was made.
package struct NameList: Sendable {
    private let base: NameTable
    private let own: [UInt8]
    private let stringBase: Int

    fileprivate init(base: NameTable, own: [UInt8], stringBase: Int) {
        self.base = base
        self.own = own
        self.stringBase = stringBase
    }

    /// Without the NUL. A name of the base is copied.
    package subscript(_ name: UInt32) -> ArraySlice<UInt8> {
        if Int(name) < stringBase { return base.name(at: Int(name)) }
        let range = ownRange(of: name)
        return own[Int(range.lowerBound)..<Int(range.upperBound)]
    }

    package func string(_ name: UInt32) -> String { String(systemBytes: self[name]) }

    /// Numbers that order names by their first eight bytes, and by the eight after these.
    package func keys(of name: UInt32) -> (first: UInt64, second: UInt64) {
        if Int(name) < stringBase {
            let bytes = self[name]
            return (prefixKey(bytes), prefixKey(bytes.dropFirst(8)))
        }
        let range = ownRange(of: name)
        let second = min(range.lowerBound + 8, range.upperBound)..<range.upperBound
        return (prefixKey(own, range), prefixKey(own, second))
    }

    /// The own names, each ended by NUL.
    var ownBytes: [UInt8] { own }

    /// Where an own name lies in them.
    func ownRange(of name: UInt32) -> Range<UInt32> {
        let start = Int(name) - stringBase
        var end = start
        while end < own.count, own[end] != 0 { end += 1 }
        return UInt32(start)..<UInt32(end)
    }
}
