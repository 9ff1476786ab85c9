// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// An immutable array, in memory of its own or borrowed from a `ByteView`, such as a mapped file.
/// Reading an element costs a bounds check and a load, without reference counting.
@safe
@usableFromInline @frozen
package struct Frozen<Element: FixedWidthInteger & BitwiseCopyable & Sendable>: @unchecked Sendable
{
    // SAFETY: base[0..<count] is aligned, lies inside `owner`, and is never written: shared like a
    // `ByteStorage`.
    @usableFromInline let base: UnsafePointer<Element>
    @usableFromInline package let count: Int
    private let owner: ByteStorage

    /// `count` elements in host order from byte `offset` of `view` on; nil if they are not inside,
    /// or not aligned.
    package init?(_ view: ByteView, at offset: Int, count: Int) {
        let size = MemoryLayout<Element>.size
        guard count >= 0, count <= view.count / size, let part = view.slice(offset, count * size)
        else { return nil }
        // SAFETY: the address is that of `part`, whose storage is kept as `owner`.
        let address = unsafe part.storage.base.map { unsafe UInt(bitPattern: $0 + part.start) } ?? 0
        guard count > 0 else {
            self.init([])
            return
        }
        guard address % UInt(MemoryLayout<Element>.alignment) == 0,
            let first = unsafe UnsafePointer<Element>(bitPattern: address)
        else { return nil }
        unsafe self.init(base: first, count: count, owner: part.storage)
    }

    private init(base: UnsafePointer<Element>, count: Int, owner: ByteStorage) {
        unsafe self.base = base
        self.count = count
        self.owner = owner
    }

    /// A copy of `elements`.
    package init(_ elements: [Element]) {
        let storage = unsafe ByteStorage.filled(
            count: max(1, elements.count) * MemoryLayout<Element>.size
        ) { buffer in
            // SAFETY: the buffer has room for all elements.
            unsafe elements.withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
        }
        // SAFETY: allocated just now with alignment 16, and never empty.
        unsafe self.init(
            base: storage.base!.assumingMemoryBound(to: Element.self), count: elements.count,
            owner: storage)
    }

    @inlinable package var indices: Range<Int> { 0..<count }

    @inlinable @inline(__always)
    package subscript(_ index: Int) -> Element {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        // SAFETY: index is in 0..<count.
        return unsafe base[index]
    }

    /// The bytes of the elements, for writing to a file.
    package var bytes: ByteView {
        // SAFETY: both addresses are of the owner's memory; an owner of elements has some.
        let start = unsafe UnsafeRawPointer(base) - owner.base!
        return ByteView(
            storage: owner, start: start, count: count * MemoryLayout<Element>.size)
    }
}

extension Frozen where Element == UInt8 {
    /// Calls `body` with the bytes in `range`, borrowed.
    @inlinable @inline(__always)
    package func withSpan<R>(_ range: Range<Int>, _ body: (RawSpan) -> R) -> R {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        // SAFETY: the range was checked; the span is used inside the call only.
        return unsafe body(
            RawSpan(
                _unsafeBytes: UnsafeRawBufferPointer(
                    start: UnsafeRawPointer(base) + range.lowerBound, count: range.count)))
    }
}
