// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc

/// What makes kbtf start where there is no `/proc`, as in a bare chroot. Swift's runtime has the arguments from there,
/// and before `main` it looks for its program that prints backtraces, beside itself, and gives up where it cannot
/// know where that is.
enum EarlyStart {
    fileprivate nonisolated(unsafe) static var count: Int32 = 0
    fileprivate nonisolated(unsafe) static var values:
        UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?

    /// The program's name, as called, and what follows it.
    static var arguments: [String] {
        guard let values = unsafe values else { return CommandLine.arguments }
        return unsafe (0..<Int(count)).compactMap { index in
            unsafe values[index].map { unsafe String(cString: $0) }
        }
    }
}

/// glibc calls this as it calls `main`, and before anything of Swift is set up: it may only call the C library.
@section(".preinit_array") @used
let startEarly:
    @convention(c) (
        Int32, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Void = { count, values, _ in
        unsafe EarlyStart.count = count
        unsafe EarlyStart.values = values
        // Told of a place, the runtime does not look for one.
        if unsafe access("/proc/self/exe", F_OK) != 0 {
            unsafe setenv("SWIFT_BACKTRACE", "enable=no,swift-backtrace=/", 0)
        }
    }
