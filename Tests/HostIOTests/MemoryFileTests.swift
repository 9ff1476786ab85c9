// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import Testing

/// A file that is in no directory.
@Suite struct MemoryFileTests {
    @Test func writtenByName() throws {
        let file = try MemoryFile("test", with: [ByteView([1, 2]), ByteView([3])])
        #expect(try file.contents().array == [1, 2, 3])
        let fd = open(file.path, O_WRONLY | O_TRUNC)
        #expect(fd >= 0 && write(fd, [7, 8] as [UInt8], 2) == 2)
        close(fd)
        #expect(try file.contents().array == [7, 8])
    }
}
