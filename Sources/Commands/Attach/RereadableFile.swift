// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO

/// A file by a path that can be opened more than once, as a pipe cannot.
struct RereadableFile: ~Copyable {
    let path: String
    /// The contents of a pipe, as long as it is needed.
    private let copy: MemoryFile?

    /// - Parameter name: a path; other names of kernels, such as a release, are kept.
    init(_ name: String) throws(Failure) {
        guard FileStatus(name).isSpecial else {
            path = name
            copy = nil
            return
        }
        do throws(HostError) {
            let file = try MemoryFile("kbtf", with: [FileReader.map(name)])
            path = file.path
            copy = .some(consume file)
        } catch { throw Failure(error) }
    }
}
