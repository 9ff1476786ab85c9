// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc

/// Produces a result for each index below `count` on `jobs` threads, and lets `state` consume the
/// results in the order of the indexes, one at a time, on whichever thread is free.
///
/// At most `8 * jobs` results wait. With one job, or one index, everything runs on the caller's
/// thread.
///
/// - Parameters:
///   - worker: creates per-thread state that is kept from index to index.
///   - produce: produces a result.
///   - consume: consumes one; returns false to stop.
/// - Returns: `state`, after the last result that was consumed.
package func parallelInOrder<State: ~Copyable & Sendable, Worker: ~Copyable, Product: Sendable>(
    count: Int, jobs: Int, into state: consuming State, worker: @Sendable () -> Worker,
    produce: @Sendable (inout Worker, Int) -> Product,
    consume: @Sendable (inout State, Product) -> Bool
) -> State {
    let threads = min(jobs, count)
    guard threads > 1 else {
        var own = worker()
        for index in 0..<count {
            guard consume(&state, produce(&own, index)) else { break }
        }
        return state
    }
    let queue = OrderedQueue<State, Product>(state, count: count, window: 8 * threads)
    parallelFor(count: threads, jobs: threads) { _ in
        var own = worker()
        while let index = queue.next() {
            queue.put(produce(&own, index), at: index, consume)
        }
    }
    return queue.finish()
}

/// Results that wait for their predecessors.
@safe
private final class OrderedQueue<State: ~Copyable, Product: Sendable>: @unchecked Sendable {
    // SAFETY: all mutable members are read and written with `mutex` held, except the state, which
    // belongs to the thread that has set `isTaken` and exists until `finish`.
    private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    private let count: Int
    private var handedOut = 0
    private var consumed = 0
    /// Some thread is consuming results.
    private var isTaken = false
    private var isStopped = false
    /// By index modulo its size.
    private var waiting: [Product?]
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let moved = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ state: consuming State, count: Int, window: Int) {
        unsafe self.state.initialize(to: state)
        self.count = count
        waiting = Array(repeating: nil, count: window)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(moved, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe pthread_cond_destroy(moved)
        unsafe state.deallocate()
        unsafe mutex.deallocate()
        unsafe moved.deallocate()
    }

    /// Returns the state, once; all threads have ended.
    func finish() -> State { unsafe state.move() }

    /// The next index to work on, once there is room for its result; nil if there are no more.
    func next() -> Int? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            guard !isStopped, handedOut < count else { return nil }
            if handedOut - consumed < waiting.count { break }
            unsafe pthread_cond_wait(moved, mutex)
        }
        handedOut += 1
        return handedOut - 1
    }

    /// Stores a result, and consumes all results that are next in order unless another thread is
    /// doing so. That thread will find this one, because checking and stopping happen under one
    /// lock.
    func put(_ product: Product, at index: Int, _ consume: (inout State, Product) -> Bool) {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        waiting[index % waiting.count] = product
        guard !isTaken else { return }
        isTaken = true
        while !isStopped, let next = waiting[consumed % waiting.count] {
            waiting[consumed % waiting.count] = nil
            unsafe pthread_mutex_unlock(mutex)
            let goesOn = unsafe consume(&state.pointee, next)
            unsafe pthread_mutex_lock(mutex)
            consumed += 1
            if !goesOn { isStopped = true }
            unsafe pthread_cond_broadcast(moved)
        }
        isTaken = false
    }
}
