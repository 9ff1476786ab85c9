// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

public import Synchronization

/// A field that pins its struct in memory. The compiler passes structs by value, copying all words,
/// to methods that do not change them; for large structs that are read millions of times a second
/// this took a sixth of all time (6.1 vmlinux). Structs that contain an atomic are passed by
/// address.
@usableFromInline @frozen
package struct InPlace: ~Copyable, Sendable {
    @usableFromInline let mark = Atomic<UInt8>(0)

    @inlinable package init() {}
}
