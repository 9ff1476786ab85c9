// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import TestSupport
import Testing

@Suite struct FileLockTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("lock")
    }

    private func isFree(_ number: UInt64, at path: String? = nil) -> Bool {
        FileLock(path ?? self.path, number: number) != nil
    }

    @Test func oneAtATime() throws {
        do {
            let lock = FileLock(path, number: 8)
            #expect(!isFree(8))
            #expect(isFree(10))
            withExtendedLifetime(lock) {}
        }
        #expect(isFree(8))
    }

    @Test("a process that is being started does not hold it")
    func copied() throws {
        let copy: DescriptorCopy
        do {
            let lock = FileLock(path, number: 8)
            copy = try DescriptorCopy(of: path)
            #expect(!isFree(8))
            withExtendedLifetime(lock) {}
        }
        #expect(isFree(8))
        withExtendedLifetime(copy) {}
    }

    @Test func nowhere() {
        #expect(!isFree(1, at: scratch("none/lock")))
    }
}
