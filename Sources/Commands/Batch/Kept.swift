// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import Synchronization

/// A file as it was opened to see which base it needs.
protocol BatchContents: Sendable {
    var keeping: Keeping { get }
}

/// What it takes to keep the contents of a file.
struct Keeping: Sendable {
    /// Bytes of memory, because it was decompressed; 0 for a mapped file.
    var size = 0
    /// Of what is odd about the file and does no harm.
    var warning: Talk.Message?
    /// It cannot be read a second time: a pipe, such as the shell's `<(xzcat foo.ko.xz)`.
    var isRequired = false
}

/// Opened files, from when their base was determined until it is read: those that took
/// decompressing, as far as there is room, and those that can be read only once.
final class Kept<Opened: BatchContents>: Sendable {
    private let state = Mutex<(opened: [Int: Opened], room: Int)>(([:], 256 << 20))

    /// - Parameter always: also a file that could be opened again at no cost.
    func keep(_ opened: Opened, _ index: Int, always: Bool = false) {
        let (size, isRequired) = (opened.keeping.size, opened.keeping.isRequired || always)
        guard size > 0 || isRequired else { return }
        state.withLock { state in
            guard state.room >= size || isRequired else { return }
            state.room -= size
            state.opened[index] = opened
        }
    }

    func take(_ index: Int) -> Opened? {
        state.withLock { state in
            guard let opened = state.opened.removeValue(forKey: index) else { return nil }
            state.room += opened.keeping.size
            return opened
        }
    }
}
