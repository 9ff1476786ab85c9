// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

/// The places where a loader copies level, size and address of a log from its context: one for the
/// object's BTF, one for each program. A context has these values once, for all of them; where each
/// place reads others, each log is one of its own.
struct LoaderLogs: Equatable {
    struct Place: Equatable {
        /// A program's identifier; nil for the BTF.
        let program: String?
        /// The instruction that reads the level. Those that read size and address follow it.
        let instruction: Int
    }

    let places: [Place]

    /// Instructions from one of the three to the next: each value is read, its address in the
    /// loader's data takes two, and it is stored.
    static let distance = 4

    /// nil if the loader has another form than those of libbpf.
    init?(of skeleton: LightSkeleton) {
        let found = Self.instructions(in: skeleton)
        let programs = skeleton.programs.filter(\.isLoaded).map { Optional($0.identifier) }
        guard found.count == programs.count || found.count == programs.count + 1 else { return nil }
        let names = found.count > programs.count ? [nil] + programs : programs
        places = zip(names, found).map { Place(program: $0, instruction: $1) }
    }

    private static func instructions(in skeleton: LightSkeleton) -> [Int] {
        let bytes = skeleton.instructions
        // BPF_LDX_MEM of r0 from the context, r6.
        func reads(_ index: Int, _ code: UInt8, _ offset: UInt8) -> Bool {
            let at = index * 8
            guard at + 8 <= bytes.count else { return false }
            let head: [UInt8] =
                skeleton.byteOrder == .big ? [code, 0x06, 0, offset] : [code, 0x60, offset, 0]
            return bytes[at..<at + 8].elementsEqual(head + [0, 0, 0, 0])
        }
        let (word, doubleWord): (UInt8, UInt8) = (0x61, 0x79)
        return (0..<max(0, bytes.count / 8 - 3 * distance + 1)).filter {
            // The offsets in struct bpf_loader_ctx.
            reads($0, word, 8) && reads($0 + distance, word, 12)
                && reads($0 + 2 * distance, doubleWord, 16)
        }
    }

    /// The macro with its level.
    private static func level(_ place: Place) -> String {
        "SKEL_LOG_LEVEL_" + (place.program ?? "BTF")
    }

    func write(_ c: inout CWriter) {
        for place in places {
            c.directive("#ifndef \(Self.level(place))")
            c.directive("#define \(Self.level(place)) 0")
            c.directive("#endif")
        }
        c.define("static unsigned int skel_logs(const struct skel_log **logs)") { c in
            c.scope("static const struct skel_log table[] =", tail: ";") { c in
                for place in places {
                    let name = CLiteral.string(place.program ?? "BTF")
                    c.line("{ \(name), \(place.instruction), \(Self.level(place)) },")
                }
            }
            c.line()
            c.line("*logs = table;")
            c.line("return ARRAY_SIZE(table);")
        }
    }
}
