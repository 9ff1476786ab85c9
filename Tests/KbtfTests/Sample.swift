// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import HostIO
import TestSupport

/// Small inputs, made by the compiler.
enum Sample {
    static let hasBPFCompiler = (try? Command.shell("command -v clang-16"))?.status == 0
    static let hasCompressors = (try? Command.shell("command -v xz zstd gzip"))?.status == 0
    static let hasCompiler = (try? Command.shell("command -v gcc objcopy"))?.status == 0

    /// The headers of an installed kernel, to build modules with.
    static let kernelHeaders: String? = (try? Directory.list("/lib/modules"))?.sorted()
        .map { "/lib/modules/\($0)/build" }
        .last { FileStatus($0 + "/Module.symvers").exists }

    static let source = """
        struct list { struct list *next, *prev; };
        union value { int number; const char *text; };
        enum colour { RED, GREEN = 5 };
        struct item { struct list list; union value value; enum colour colour; unsigned bits : 3; };
        struct item items[4];
        int count(struct item *item, int (*filter)(const struct item *)) { return filter(item); }
        """

    private static let objects = Once<[String], [UInt8]>()

    /// Compiles `source` for this machine and returns the path of the object file in `scratch`.
    /// What several tests want is compiled once.
    @discardableResult
    static func compile(
        _ scratch: Scratch, _ name: String = "sample.ko", source: String = source,
        options: String = "-g"
    ) throws -> String {
        try scratch.write(
            name, object("gcc \(options) -gno-record-gcc-switches", fileName(name), source))
    }

    /// Compiles `source` to a BPF object.
    static func compileBPF(
        _ scratch: Scratch, _ name: String, source: String, options: String = "-w"
    ) throws -> String {
        try scratch.write(
            name, object("clang-16 \(options) -target bpf -O2 -g", fileName(name), source))
    }

    private static func fileName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func object(
        _ compiler: String, _ name: String, _ source: String
    ) throws -> [UInt8] {
        try objects.value([compiler, name, source]) {
            let scratch = try Scratch()
            let file = try scratch.write(name + ".c", source)
            let object = scratch.path + "/" + name
            let result = try Command.shell(
                "cd '\(scratch.path)' && \(compiler) -c '\(file)' -o '\(object)'")
            guard result.status == 0 else { throw Failed(result) }
            return try bytes(object)
        }
    }

    private static let encoded = Once<String, [UInt8]>()

    /// The raw BTF that `kbtf encode` makes of `source`, made once.
    static func rawBTF(_ source: String) throws -> [UInt8] {
        try encoded.value(source) {
            let scratch = try Scratch()
            let raw = scratch.path + "/raw.btf"
            let object = try compile(scratch, "kernel.o", source: source)
            let result = try Command.kbtf("encode", "--detached", raw, object)
            guard result.status == 0 else { throw Failed(result) }
            return try bytes(raw)
        }
    }

    /// Makes `object` look like a module of a kernel.
    static func addModinfo(_ object: String, release: String, _ scratch: Scratch) throws {
        let modinfo = try scratch.write(
            "modinfo", "license=GPL\0vermagic=\(release) SMP mod_unload \0")
        let result = try Command.shell(
            "objcopy --add-section .modinfo='\(modinfo)' --set-section-flags .modinfo=alloc,readonly "
                + "'\(object)'")
        guard result.status == 0 else { throw Failed(result) }
    }

    static func section(_ name: String, of path: String) throws -> [UInt8]? {
        let file = try ELFFile(path: path)
        return try file.section(named: name).map { try file.data(of: $0).array }
    }

    static func bytes(_ path: String) throws -> [UInt8] { try FileReader.map(path).array }

    struct Failed: Error, CustomStringConvertible {
        let description: String
        init(_ result: Command.Result) { description = result.description }
    }
}
