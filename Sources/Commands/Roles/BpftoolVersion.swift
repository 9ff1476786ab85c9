// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import Bytes
import Console

/// What `bpftool version` says of kbtf in its place.
enum BpftoolVersion {
    private static let number = "7.8.0"
    /// `bootstrap` is what bpftool calls itself without `prog`.
    private static let features = [
        ("libbfd", false), ("llvm", false), ("crypto", false), ("skeletons", true),
        ("bootstrap", true),
    ]

    /// Builds look for the line of features.
    static var text: String {
        let names = features.filter(\.1).map(\.0).joined(separator: ", ")
        return """
            bpftool v\(number) (kbtf \(Console.version) in its place)
            using libbpf v\(LibBPF.version)
            features: \(names)

            """
    }

    static var json: [UInt8] {
        var report = JSONWriter()
        report.object { json in
            json.field("version", number)
            json.field("libbpf_version", "\(LibBPF.version)")
            json.object("features") { json in
                for (name, isPresent) in features { json.field(name, isPresent) }
            }
        }
        return report.bytes + [10]
    }
}
