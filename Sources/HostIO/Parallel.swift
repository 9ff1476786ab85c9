// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import Synchronization

/// The number of processors this process may run on (taskset and container cpusets count), at least
/// 1.
package var onlineProcessorCount: Int {
    // The C calls for this need _GNU_SOURCE, without which Swift's Glibc module is built.
    let key = Array("\nCpus_allowed:".utf8)
    if let status = try? FileReader.map("/proc/self/status").array,
        let found = status.indices.first(where: { status[$0...].starts(with: key) })
    {
        let line = status[(found + key.count)...].prefix { $0 != UInt8(ascii: "\n") }
        // Hexadecimal groups separated by commas, one bit per processor.
        let bits = line.reduce(0) { sum, digit in
            sum + (Character(Unicode.Scalar(digit)).hexDigitValue?.nonzeroBitCount ?? 0)
        }
        if bits > 0 { return bits }
    }
    return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}

/// Calls `body` once for each index below `count`, from at most `jobs` threads including the
/// caller's, and returns when all calls have returned. Indexes are handed out in rising order, one
/// at a time, so each should be enough work (starting and joining a thread costs about 0.1 ms).
///
/// With `jobs` of 1 or less, or one index, everything runs on the caller's thread. Threads have 16
/// MiB of stack. If the system refuses to create a thread, fewer do the work.
package func parallelFor(count: Int, jobs: Int, _ body: @Sendable (Int) -> Void) {
    let threads = min(jobs, count)
    guard threads > 1 else {
        for index in 0..<max(0, count) { body(index) }
        return
    }
    withoutActuallyEscaping(body) { body in
        let work = ParallelWork(count: count, body: body)
        var attributes = pthread_attr_t()
        // SAFETY: initialised here, destroyed below, used by pthread_create only.
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, 16 << 20)
        var started: [pthread_t] = []
        for _ in 1..<threads {
            // Joined below, before `work` and `body` end.
            guard let thread = unsafe work.start(&attributes) else { break }
            started.append(thread)
        }
        work.run()
        for thread in started { pthread_join(thread, nil) }
        unsafe pthread_attr_destroy(&attributes)
    }
}

/// Calls `body` as `parallelFor` does and returns the results in the order of the indexes.
package func parallelMap<Result: Sendable>(
    count: Int, jobs: Int, _ body: @Sendable (Int) -> Result
) -> [Result] {
    let slots = Mutex<[Result?]>(Array(repeating: nil, count: max(0, count)))
    parallelFor(count: count, jobs: jobs) { index in
        let result = body(index)
        slots.withLock { $0[index] = result }
    }
    return slots.withLock { $0.compactMap { $0 } }
}

/// Runs `one` on a thread of its own, if the system provides one, and `other` on the caller's;
/// returns when both are done.
package func parallelBeside(_ one: @Sendable () -> Void, _ other: () -> Void) {
    withoutActuallyEscaping(one) { one in
        let work = ParallelWork(count: 1) { _ in one() }
        // Joined below, before `work` and `one` end.
        let thread = unsafe work.start(nil)
        if thread == nil { work.run() }
        other()
        if let thread { pthread_join(thread, nil) }
    }
}

/// State shared by the threads of one `parallelFor`.
private final class ParallelWork: Sendable {
    private let next = Atomic<Int>(0)
    private let count: Int
    private let body: @Sendable (Int) -> Void

    init(count: Int, body: @escaping @Sendable (Int) -> Void) {
        self.count = count
        self.body = body
    }

    /// Runs on a thread of its own, which the caller joins; nil if the system refuses to create
    /// one.
    @unsafe
    func start(_ attributes: UnsafePointer<pthread_attr_t>?) -> pthread_t? {
        var thread = pthread_t()
        let handle = unsafe Unmanaged.passRetained(self)
        // SAFETY: the thread takes ownership of the reference.
        let result = unsafe pthread_create(
            &thread, attributes,
            { argument in
                // SAFETY: the argument is the retained work passed below.
                unsafe Unmanaged<ParallelWork>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, handle.toOpaque())
        if result == 0 { return thread }
        unsafe handle.release()
        return nil
    }

    /// Processes indexes until there are no more.
    func run() {
        while true {
            // Relaxed is enough: only the index is passed, and joining orders the rest. It cannot
            // overflow: each thread adds at most one beyond `count`.
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
        }
    }
}
