// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc

/// Seconds of processor time that this thread spends in `body`. Waiting does not count, so a bound
/// on it holds on a busy machine as well. Bounds are far above what is needed and far below what
/// work that grows with the square of its input takes.
package func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
    let start = threadTime()
    try body()
    return threadTime() - start
}

private func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
