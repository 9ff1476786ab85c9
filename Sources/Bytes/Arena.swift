// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A growing array of plain values with one owner. Unlike `Array` it is never shared, so writing an
/// element costs a bounds check and a store, without reference counting. Designed to be emptied and
/// refilled.
@safe
@usableFromInline @frozen
package struct Arena<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    // SAFETY: base[0..<count] is initialised, base[0..<capacity] is allocated, by this owner alone;
    // passing it to another thread is as safe as passing an integer.
    @usableFromInline var base: UnsafeMutablePointer<Element>
    @usableFromInline package internal(set) var count = 0
    @usableFromInline var capacity: Int

    @inlinable
    package init(capacity: Int = 0) {
        self.capacity = max(capacity, 16)
        unsafe base = UnsafeMutablePointer<Element>.allocate(capacity: self.capacity)
    }

    @inlinable
    package init(repeating value: Element, count: Int) {
        self.init(capacity: count)
        unsafe base.initialize(repeating: value, count: count)
        self.count = count
    }

    @inlinable deinit { unsafe base.deallocate() }

    @inlinable package var isEmpty: Bool { count == 0 }
    @inlinable package var indices: Range<Int> { 0..<count }

    @inlinable @inline(__always)
    package subscript(_ index: Int) -> Element {
        get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            // SAFETY: index is in 0..<count.
            return unsafe base[index]
        }
        set {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            // SAFETY: index is in 0..<count.
            unsafe base[index] = newValue
        }
    }

    @inlinable @inline(__always)
    package mutating func append(_ value: Element) {
        if count == capacity { grow(by: 1) }
        // SAFETY: count < capacity.
        unsafe (base + count).initialize(to: value)
        count &+= 1
    }

    @inlinable @inline(__always)
    package mutating func append(_ a: Element, _ b: Element, _ c: Element, _ d: Element) {
        if capacity &- count < 4 { grow(by: 4) }
        // SAFETY: count + 4 <= capacity.
        unsafe (base + count).initialize(to: a)
        unsafe (base + count + 1).initialize(to: b)
        unsafe (base + count + 2).initialize(to: c)
        unsafe (base + count + 3).initialize(to: d)
        count &+= 4
    }

    @inlinable @inline(__always)
    package mutating func append(_ a: Element, _ b: Element, _ c: Element) {
        if capacity &- count < 3 { grow(by: 3) }
        // SAFETY: count + 3 <= capacity.
        unsafe (base + count).initialize(to: a)
        unsafe (base + count + 1).initialize(to: b)
        unsafe (base + count + 2).initialize(to: c)
        count &+= 3
    }

    /// Appends the elements of `other` in `range`.
    @inlinable
    package mutating func append(_ other: borrowing Arena<Element>, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= other.count)
        if capacity - count < range.count { grow(by: range.count) }
        // SAFETY: both ranges were checked, and the owners differ.
        unsafe (base + count).initialize(
            from: UnsafePointer(other.base) + range.lowerBound, count: range.count)
        count &+= range.count
    }

    /// Appends up to `most` elements: `body` writes them at the given address and returns their
    /// number.
    @unsafe @inlinable @inline(__always)
    package mutating func append(
        upTo most: Int, _ body: (UnsafeMutablePointer<Element>) -> Int
    ) {
        if capacity - count < most { grow(by: most) }
        // SAFETY: there is room for `most`, and `body` does not exceed that.
        let written = unsafe body(base + count)
        precondition(written >= 0 && written <= most)
        count &+= written
    }

    @inlinable package mutating func removeAll() { count = 0 }

    /// Keeps the first `count` elements.
    @inlinable
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        self.count = count
    }

    /// Removes and returns the last element; nil if there is none.
    @inlinable @inline(__always)
    package mutating func popLast() -> Element? {
        if count == 0 { return nil }
        count &-= 1
        // SAFETY: the old count was above 0.
        return unsafe base[count]
    }

    /// Empties it and fills it with `count` copies of `value`.
    @inlinable
    package mutating func refill(_ value: Element, count: Int) {
        self.count = 0
        if capacity < count { grow(by: count) }
        unsafe base.initialize(repeating: value, count: count)
        self.count = count
    }

    @inlinable @inline(never)
    mutating func grow(by more: Int) {
        let larger = max(capacity * 2, count + more)
        let fresh = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        // SAFETY: larger > count; the old block is not used afterwards.
        unsafe fresh.initialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = fresh
        capacity = larger
    }

    /// Makes room for `more` elements.
    ///
    /// - Returns: the old memory with its contents if the elements had to move: whoever keeps it
    ///   can continue to read there.
    package mutating func reserve(_ more: Int) -> Arena<Element>? {
        if capacity - count >= more { return nil }
        var larger = Arena(capacity: max(capacity * 2, count + more))
        larger.append(self, 0..<count)
        swap(&self, &larger)
        return larger
    }

    /// The first element, for loops that check once for many reads. Invalid when the arena grows or
    /// ends.
    @unsafe @inlinable package var start: UnsafePointer<Element> { unsafe UnsafePointer(base) }
    @unsafe @inlinable package var mutableStart: UnsafeMutablePointer<Element> { unsafe base }

    /// Calls `body` with the elements; the pointer must not escape.
    @unsafe @inlinable
    package borrowing func withUnsafeElements<R>(
        _ body: (UnsafeBufferPointer<Element>) -> R
    ) -> R {
        // SAFETY: the elements do not move while self is borrowed.
        unsafe body(UnsafeBufferPointer(start: base, count: count))
    }
}

extension Arena where Element: Equatable {
    /// Whether the `count` elements from `start` on equal those of `other` from `place` on.
    @inlinable
    package borrowing func hasSame(
        _ start: Int, as other: borrowing Arena, _ place: Int, count: Int
    ) -> Bool {
        precondition(
            start >= 0 && place >= 0 && count >= 0 && start <= self.count - count
                && place <= other.count - count)
        // SAFETY: the elements are inside both.
        let one = unsafe base + start
        let two = unsafe other.base + place
        for index in 0..<count where unsafe one[index] != two[index] { return false }
        return true
    }

    /// Visits `count` triples of elements that end before `end`, and as many of `other`, from the
    /// last to the first, while their first and third elements are equal and `middle` returns true
    /// for the second.
    ///
    /// - Returns: whether it reached the first.
    @inlinable @inline(__always)
    package borrowing func triples<Other: Elements & ~Copyable>(
        before end: Int, _ count: Int, agreeWith other: borrowing Other, before otherEnd: Int,
        _ middle: (Element, Element) -> Bool
    ) -> Bool where Other.Element == Element {
        // A count that was computed for one is small.
        precondition(count >= 0 && end <= self.count && otherEnd <= other.count)
        precondition(end >= 3 &* count && otherEnd >= 3 &* count && count <= self.count)
        // SAFETY: the triples are inside both.
        var one = unsafe UnsafePointer(base) + end
        var two = unsafe other.start + otherEnd
        var left = count
        while left > 0 {
            unsafe one -= 3
            unsafe two -= 3
            guard unsafe one[2] == two[2], unsafe one[0] == two[0],
                unsafe middle(one[1], two[1])
            else { return false }
            left &-= 1
        }
        return true
    }
}

/// Values that lie in a row, and do not move while they are borrowed.
@usableFromInline
package protocol Elements<Element>: ~Copyable {
    associatedtype Element: BitwiseCopyable
    var count: Int { get }
    subscript(_ index: Int) -> Element { get }
    /// The first of `count`.
    @unsafe var start: UnsafePointer<Element> { get }
}

extension Arena: Elements {}

extension Frozen: Elements {
    @unsafe @inlinable package var start: UnsafePointer<Element> { unsafe base }
}

extension Arena {
    /// A copy of the elements.
    package var array: [Element] { unsafe withUnsafeElements { unsafe Array($0) } }
}
