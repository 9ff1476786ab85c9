// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

public import Synchronization

/// A field that keeps the struct it is in where it is. The compiler passes structs by value, all words of
/// them, to methods that do not change them; for large ones that are read millions of times a second
/// that was a sixth of all time (6.1 vmlinux). Structs with an atomic in them are passed by address.
@usableFromInline @frozen
package struct InPlace: ~Copyable, Sendable {
    @usableFromInline let mark = Atomic<UInt8>(0)

    @inlinable package init() {}
}
