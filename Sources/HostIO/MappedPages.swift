// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc
import Synchronization

/// Hints about the pages of mapped files. They affect speed and memory use, never the data.
package enum MappedPages {
    /// Address ranges of all live mappings created here. A hint on other memory would destroy it
    /// (`MADV_DONTNEED` zeroes anonymous pages), so other ranges are left alone.
    private static let live = Mutex<[UInt: (end: UInt, fd: Int32)]>([:])

    /// Maps `count` bytes of `fd`; nil if the file cannot be mapped. `whenDone` is called after it
    /// is unmapped.
    static func map(fd: Int32, count: Int, whenDone: @escaping () -> Void) -> ByteStorage? {
        // For `copy`; without it (-1) `copy` reads the mapping.
        let copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)
        if let storage = map(owned: copy, by: fd, count: count, whenDone: whenDone) {
            return storage
        }
        if copy >= 0 { _ = close(copy) }
        return nil
    }

    /// The same; `fd` is closed after it is unmapped, unless it cannot be mapped.
    static func map(owned fd: Int32, count: Int) -> ByteStorage? {
        map(owned: fd, by: fd, count: count) {}
    }

    private static func map(
        owned copy: Int32, by fd: Int32, count: Int, whenDone: @escaping () -> Void
    ) -> ByteStorage? {
        // SAFETY: a fresh mapping; its address is checked below.
        let address = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, fd, 0)
        guard let base = unsafe address, unsafe base != MAP_FAILED else { return nil }
        let start = UInt(bitPattern: base)
        // A mapping's end cannot overflow: it is in the address space.
        live.withLock { $0[start] = (start + UInt(count), copy) }
        // SAFETY: nothing writes to a PROT_READ mapping; it is unmapped once, when the storage is
        // released.
        return unsafe ByteStorage(base: UnsafeRawPointer(base), count: count) {
            let fd = live.withLock { $0.removeValue(forKey: start)?.fd ?? -1 }
            if fd >= 0 { _ = close(fd) }
            _ = unsafe munmap(base, count)
            whenDone()
        }
    }

    /// Releases the whole pages inside `view`. They are read from the file again when accessed.
    /// Does nothing for bytes that do not come from a mapped file.
    package static func release(_ view: ByteView) {
        advise(view, MADV_DONTNEED)
    }

    /// Maps the pages of `view` now, at once, instead of one fault at a time. Does nothing for
    /// bytes that do not come from a mapped file, and on kernels before 5.14.
    package static func populate(_ view: ByteView) {
        advise(view, 22)  // MADV_POPULATE_READ
    }

    /// A copy of up to `count` bytes of `view` from `offset` on, fewer at its end. It does not map
    /// pages of a mapped file: for reading a few bytes here and there.
    package static func copy(_ view: ByteView, _ offset: Int, _ count: Int) -> ByteView {
        let count = max(0, min(count, view.count - offset))
        guard offset >= 0, count > 0, let part = view.slice(offset, count) else { return .empty }
        // SAFETY: only the address is used.
        let first = unsafe part.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        let place = live.withLock { ranges in
            ranges.first { $0.key <= first && first + UInt(count) <= $0.value.end }
        }
        guard let place, place.value.fd >= 0 else { return part }
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the array has `count` bytes. The descriptor belongs to the mapping, which `view`
        // keeps.
        let got = unsafe pread(place.value.fd, &bytes, count, off_t(first - place.key))
        return got == count ? ByteView(bytes) : part
    }

    private static func advise(_ view: ByteView, _ advice: Int32) {
        // SAFETY: only the address is used; whether the hint is allowed is checked first.
        let (first, count) = unsafe view.withUnsafeBytes {
            (UInt(bitPattern: $0.baseAddress), UInt(bitPattern: $0.count))
        }
        let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
        let start = (first + page - 1) / page * page
        let end = (first + count) / page * page
        guard start < end else { return }
        live.withLock { ranges in
            guard ranges.contains(where: { $0.key <= first && first + count <= $0.value.end })
            else {
                return
            }
            // SAFETY: whole pages of a live read-only file mapping, kept alive by the lock: the
            // view holds its storage, and the hint cannot change what the pages contain.
            _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), advice)
        }
    }
}
