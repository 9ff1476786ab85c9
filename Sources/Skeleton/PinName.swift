// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Names in bpffs, and on the list of objects to preload.
enum PinName {
    /// The kernel's own preload object, whose names predate the list: users know its two files.
    private static let iterators = "iterators_bpf"

    /// The module that every kernel requests when bpffs is first mounted.
    static let hook = "bpf_preload"

    /// The object's name on a kernel's list.
    static func listed(_ object: String) -> String {
        object == iterators ? hook : object
    }

    /// The file for a program's link.
    static func link(_ program: String, in object: String) -> String {
        guard object == iterators else { return program }
        switch program {
        case "dump_bpf_map": return "maps.debug"
        case "dump_bpf_prog": return "progs.debug"
        default: return program
        }
    }

    /// The limits of `struct bpf_preload_info` and bpffs.
    static func check(_ file: String, of program: String) throws(ModuleError) {
        guard !file.isEmpty, file.utf8.count <= 15 else {
            throw ModuleError(
                "--publish \(program): '\(file)' has \(file.utf8.count) bytes, 1 to 15 are possible",
                hint: "--publish \(program)=NAME")
        }
        let isPlain = file.unicodeScalars.allSatisfy {
            switch $0 {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
            default: false
            }
        }
        guard isPlain, file != ".", file != ".." else {
            throw ModuleError(
                "--publish \(program): '\(file)' is no name for a file in bpffs",
                hint: "--publish \(program)=NAME")
        }
    }
}
