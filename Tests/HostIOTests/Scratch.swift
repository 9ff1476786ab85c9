// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import Testing

/// A directory of a test's own, removed with what is in it.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/kbtf-hostio-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit { _ = system("rm -rf '\(path)'") }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
        let fd = open(self(name), O_WRONLY | O_CREAT | O_TRUNC, mode)
        try #require(fd >= 0)
        #expect(Glibc.write(fd, text, text.utf8.count) == text.utf8.count)
        fchmod(fd, mode)
        close(fd)
        return self(name)
    }

    func read(_ name: String) throws -> String {
        String(decoding: try FileReader.map(self(name)).array, as: UTF8.self)
    }
}

func view(_ text: String) -> ByteView { ByteView(Array(text.utf8)) }
