// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// A number for each of some offsets, in pages of 256 offsets that exist once one of theirs is
/// stored: for offsets that lie close together or that are few, with no search.
package struct PagedNumbers: ~Copyable {
    /// By offset / 256: the page's number plus one; 0 without a page.
    private var pages: Arena<UInt32>
    private var numbers: Arena<UInt32>
    /// Numbers for which there is room at first, if as many may be stored: memory that is not used
    /// costs nothing, and growing costs a copy.
    private static var room: Int { 1 << 20 }

    /// What offsets have for which nothing is stored.
    package static var none: UInt32 { .max }

    /// - Parameter end: offsets are below this.
    package init(below end: Int) {
        pages = Arena(repeating: 0, count: end >> 8 + 1)
        numbers = Arena(capacity: min((end >> 8 + 1) << 8, Self.room))
    }

    /// - Precondition: `offset` is below the end, in `set`; others have no number.
    package subscript(_ offset: UInt32) -> UInt32 {
        @inline(__always) get {
            let page = Int(offset >> 8)
            guard page < pages.count, pages[page] != 0 else { return Self.none }
            return numbers[(Int(pages[page]) &- 1) << 8 | Int(offset & 0xff)]
        }
        set {
            let page = Int(offset >> 8)
            if pages[page] == 0 {
                unsafe numbers.append(upTo: 256) {
                    unsafe $0.initialize(repeating: Self.none, count: 256)
                    return 256
                }
                pages[page] = UInt32(numbers.count >> 8)
            }
            numbers[(Int(pages[page]) &- 1) << 8 | Int(offset & 0xff)] = newValue
        }
    }
}
