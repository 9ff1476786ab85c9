// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import CBpf
import Glibc

extension LoaderTrace {
    /// The arenas of an object while libbpf generates a loader for it.
    ///
    /// From 1.4 on, libbpf maps memory at the address that an arena has in user space (`map_extra`)
    /// even then, over anything that is there. So each gets an address where nothing is, and the
    /// loader's data the right one afterwards.
    @safe
    struct Arenas: ~Copyable {
        private struct Arena {
            let address: UInt64
            let substitute: UInt64
            let pages: UInt32
        }
        private let arenas: [Arena]

        /// Changes the arenas of `object`, which is not loaded yet, but opened.
        @unsafe
        init(of object: OpaquePointer) throws(Refusal) {
            var arenas: [Arena] = []
            var next = unsafe bpf_object__next_map(object, nil)
            while let map = unsafe next {
                let address = unsafe bpf_map__map_extra(map)
                if unsafe bpf_map__type(map).rawValue == MapType.arena, address != 0 {
                    let pages = unsafe bpf_map__max_entries(map)
                    // SAFETY: nobody uses this memory; libbpf maps its own in its place and unmaps
                    // that when the object is closed.
                    let reserved = unsafe mmap(
                        nil, Int(pages) * Int(sysconf(Int32(_SC_PAGESIZE))), PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                    guard let reserved = unsafe reserved, unsafe reserved != MAP_FAILED else {
                        throw Refusal("reserve memory for an arena of", -errno)
                    }
                    let substitute = UInt64(UInt(bitPattern: reserved))
                    let changed = unsafe bpf_map__set_map_extra(map, substitute)
                    guard changed == 0 else { throw Refusal("place an arena of", changed) }
                    arenas.append(Arena(address: address, substitute: substitute, pages: pages))
                }
                unsafe next = bpf_object__next_map(object, map)
            }
            self.arenas = arenas
        }

        /// The loader's data with the arenas' own addresses, in the attributes of MAP_CREATE.
        func placed(in data: [UInt8]) throws(Refusal) -> [UInt8] {
            if arenas.isEmpty { return data }
            var data = data
            for arena in arenas {
                // union bpf_attr: map_type, max_entries, map_extra.
                let places = stride(from: 0, to: data.count - 71, by: 8).filter {
                    Self.word(data, $0) == MapType.arena
                        && Self.word(data, $0 + 12) == arena.pages
                        && Self.word(data, $0 + 64) == UInt32(truncatingIfNeeded: arena.substitute)
                        && Self.word(data, $0 + 68) == UInt32(arena.substitute >> 32)
                }
                guard places.count == 1 else { throw Refusal("find an arena in the loader of", 0) }
                unsafe withUnsafeBytes(of: arena.address) { bytes in
                    unsafe data.replaceSubrange(places[0] + 64..<places[0] + 72, with: bytes)
                }
            }
            return data
        }

        private static func word(_ data: [UInt8], _ offset: Int) -> UInt32 {
            unsafe data.withUnsafeBytes {
                // SAFETY: the caller's offsets are at least four bytes before the end.
                unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            }
        }
    }
}
