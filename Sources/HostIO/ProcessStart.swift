// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// The arguments and environment of this process, for executables. Swift's own access to the
/// arguments goes through `/proc`, which does not exist in a bare chroot.
package enum ProcessStart {
    fileprivate typealias Strings = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    fileprivate nonisolated(unsafe) static var argumentStrings: Strings?
    fileprivate nonisolated(unsafe) static var environmentStrings: Strings?

    /// The program's name as called, and its arguments.
    package static var arguments: [String] { unsafe texts(argumentStrings) }

    /// Entries of the form `NAME=value`.
    package static var environment: [String] { unsafe texts(environmentStrings) }

    /// The value of an environment variable, possibly empty; nil if it is not set.
    package static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(systemText: $0) }
    }

    /// The time of day, in nanoseconds since 1970.
    package static var timeOfDay: Int64 {
        var time = timespec()
        // SAFETY: `time` is a local of the right type.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The strings in an array that ends with a null pointer.
    private static func texts(_ strings: Strings?) -> [String] {
        guard var next = unsafe strings else { return [] }
        var found: [String] = []
        while let text = unsafe next.pointee {
            unsafe found.append(String(systemText: text))
            unsafe next += 1
        }
        return found
    }

    /// Before `main`, Swift's runtime locates swift-backtrace through `/proc`, and aborts if that
    /// does not work. Given an explicit path it skips the lookup.
    fileprivate static func tellRuntimeOfNoBacktraces() {
        if unsafe access("/proc/self/exe", F_OK) != 0 {
            unsafe setenv("SWIFT_BACKTRACE", "enable=no,swift-backtrace=/", 1)
        }
    }
}

/// glibc calls this as it calls `main`, before anything of Swift is set up: it may only call the C
/// library.
@section(".preinit_array") @used
private let start: @convention(c) (Int32, ProcessStart.Strings?, ProcessStart.Strings?) -> Void = {
    _, arguments, environment in
    unsafe ProcessStart.argumentStrings = arguments
    unsafe ProcessStart.environmentStrings = environment
    ProcessStart.tellRuntimeOfNoBacktraces()
}
