// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import TestSupport
import Testing

@testable import VM

/// What is said before the boot about tests that cannot run after it.
@Suite struct TestProgramTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// An ELF file without sections.
    private struct Program {
        var type: UInt16 = 2
        var machine: UInt16 = 62
        var entry: UInt64 = 0x40_0000
        var loader: String?
        var isLoadable = true

        var bytes: [UInt8] {
            let count = (isLoadable ? 1 : 0) + (loader == nil ? 0 : 1)
            let name: [UInt8] = loader.map { Array($0.utf8) + [0] } ?? []
            var out: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
            func put(_ value: UInt64, _ size: Int) {
                for index in 0..<size { out.append(UInt8(value >> UInt64(8 * index) & 0xff)) }
            }
            put(UInt64(type), 2)
            put(UInt64(machine), 2)
            put(1, 4)
            put(entry, 8)
            put(64, 8)
            put(0, 8)
            put(0, 4)
            for half in [64, 56, UInt64(count), 64, 0, 0] { put(half, 2) }
            func segment(_ type: UInt64, _ offset: Int, _ size: Int) {
                put(type, 4)
                put(5, 4)
                for word in [offset, 0x40_0000, 0x40_0000, size, size, 1] { put(UInt64(word), 8) }
            }
            let end = 64 + 56 * count
            if loader != nil { segment(3, end, name.count) }
            if isLoadable { segment(1, 0, end) }
            return out + name
        }
    }

    private func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o755) throws -> String {
        let path = try scratch.write(name, bytes)
        chmod(path, mode)
        return path
    }

    private func write(_ name: String, _ text: String, mode: mode_t = 0o755) throws -> String {
        try write(name, Array(text.utf8), mode: mode)
    }

    private func refusal(
        _ paths: [String], denied: [String: String] = [:], system: GuestSystem? = nil,
        busybox: Busybox? = nil, for architecture: Architecture = .x86
    ) -> VMError? {
        do throws(VMError) {
            _ = try GuestFiles(
                paths, seconds: 1, denied: denied, system: system, busybox: busybox,
                for: architecture)
        } catch { return error }
        return nil
    }

    private func system(_ make: (Scratch) throws -> Void) throws -> GuestSystem {
        try make(scratch)
        let file = scratch.path + "/disk.ext4"
        _ = try Shell.run(
            "rm -f '\(file)'; PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -d '\(scratch.path)/root' "
                + "'\(file)' 8m 2>&1")
        return try DiskImage(file).system
    }

    @Test func withoutASystem() throws {
        let fixed = try write("fixed", Program().bytes)
        #expect(refusal([fixed]) == nil)
        // A static program that may lie anywhere.
        #expect(refusal([try write("pie", Program(type: 3, entry: 0x1000).bytes)]) == nil)
        let dynamic = try write("dynamic", Program(type: 3, loader: "/lib64/ld.so.2").bytes)
        #expect(
            refusal([dynamic])
                == VMError(
                    "\(dynamic): linked dynamically, and the guest does not have its loader /lib64/ld.so.2",
                    hint:
                        "link it with -static; or use a guest with a complete system: --image debian"
                ))
        let script = try write("script", "#! /bin/sh -e\n")
        #expect(
            refusal([script])
                == VMError(
                    "\(script): a script, and the guest does not have its interpreter /bin/sh",
                    hint:
                        "give the guest a shell: --busybox /bin/busybox (of Debian's busybox-static)"
                ))
        // They may contain what they need.
        _ = try write("own/interpreter", Program().bytes)
        let own = try write("own/script", "#!/tests/interpreter\n")
        #expect(refusal([scratch.path + "/own"]) == nil)
        #expect(refusal([own])?.description.hasSuffix("interpreter /tests/interpreter") == true)
    }

    @Test func withBusybox() throws {
        func named(_ names: String...) -> [UInt8] {
            Program().bytes + [0] + names.flatMap { Array($0.utf8) + [0] }
        }
        let busybox = try Busybox(
            write("busybox", named("bash", "[", "awk", "busybox", "env", "sh", "vi", "bash", "sh")),
            for: .x86)
        for text in [
            "#!/bin/sh -e\n", "#!/bin/busybox sh\n", "#! /usr/bin/awk -f\n",
            "#!/usr/bin/env sh\n",
        ] {
            #expect(refusal([try write("script", text)], busybox: busybox) == nil, "\(text)")
        }
        for (text, missing) in [
            ("#!/bin/bash\n", "/bin/bash"), ("#!/usr/bin/env python3\n", "python3"),
            // Part of a name, and a name elsewhere.
            ("#!/bin/as\n", "/bin/as"), ("#!/opt/sh\n", "/opt/sh"),
        ] {
            let script = try write("script", text)
            #expect(
                refusal([script], busybox: busybox)
                    == VMError(
                        "\(script): a script, and the guest does not have its interpreter \(missing)",
                        hint: missing == "python3"
                            ? "use a guest with a complete system: --image debian"
                            : "give the guest the host's: --program \(missing)"))
        }
        let dynamic = try write("dynamic", Program(type: 3, loader: "/lib64/ld.so.2").bytes)
        #expect(refusal([dynamic], busybox: busybox) != nil)
        for (name, bytes, reason) in [
            ("plain", Program().bytes, "plain: not a busybox with a shell"),
            ("shellless", named("busybox", "awk"), "shellless: not a busybox with a shell"),
            (
                "linked", Program(type: 3, loader: "/lib64/ld.so.2").bytes,
                "linked: linked dynamically, and the guest does not have its loader /lib64/ld.so.2"
            ),
            ("other", Program(machine: 183).bytes, "not a program for x86_64 but for aarch64"),
            ("text", Array("#!/bin/sh\n".utf8), "neither a program (ELF) nor a script"),
        ] {
            let path = try write(name, bytes)
            let error = #expect(throws: VMError.self) { try Busybox(path, for: .x86) }
            #expect(error?.description.contains(reason) == true, "\(name)")
        }
    }

    @Test func withASystem() throws {
        let system = try system { scratch in
            try scratch.write("root/usr/bin/sh", "x")
            try scratch.write("root/usr/bin/env", "x")
            try scratch.write("root/usr/bin/python3", "x")
            try scratch.write("root/usr/lib64/ld-one.so", "x")
            scratch.link("root/bin", to: "usr/bin")
            scratch.link("root/lib64", to: "usr/lib64")
        }
        for (name, text) in [
            ("a", "#!/bin/sh\n"), ("b", "#!/usr/bin/env python3\n"),
            ("c", "#!/usr/bin/env -S perl\n"),
            ("d", "#!\t/bin/sh -e"), ("e", "#!/dev/fd/3\n"), ("f", "#!/usr/bin/env A=1\n"),
        ] {
            #expect(refusal([try write(name, text)], system: system) == nil, "\(name)")
        }
        #expect(
            refusal([try write("g", Program(loader: "/lib64/ld-one.so").bytes)], system: system)
                == nil)
        for (name, bytes, reason) in [
            (
                "h", Program(loader: "/lib64/ld-two.so").bytes,
                "linked dynamically, and the guest does not have its loader /lib64/ld-two.so"
            ),
            (
                "i", Array("#!/bin/bash\n".utf8),
                "a script, and the guest does not have its interpreter /bin/bash"
            ),
            (
                "j", Array("#!/usr/bin/env perl\n".utf8),
                "a script, and the guest does not have its interpreter perl"
            ),
            (
                "k", Array("#!/bin/sh\r\nexit\r\n".utf8),
                "the line that names its interpreter ends in a carriage return"
            ),
        ] {
            let path = try write(name, bytes)
            let error = refusal([path], system: system)
            #expect(error?.description == "\(path): \(reason)")
            #expect(error?.hint != nil)
        }
        // Where it cannot be looked into, the guest has to say it.
        let other = try DiskImage(try scratch.write("other", "hsqs")).system
        #expect(refusal([scratch.path + "/h", scratch.path + "/i"], system: other) == nil)
    }

    @Test func noPrograms() throws {
        var module = DWARFImage()
        module.section(".modinfo", [0])
        for (name, bytes, reason) in [
            ("empty", [], "neither a program (ELF) nor a script (#!), so no kernel can run it"),
            (
                "text", Array("hello\n".utf8),
                "neither a program (ELF) nor a script (#!), so no kernel can run it"
            ),
            ("nameless", Array("#!\n".utf8), "a script without an interpreter (#!)"),
            ("x.o", DWARFImage().bytes(), "an object file, not a program"),
            ("x.ko", module.bytes(), "a kernel module, not a program"),
            (
                "x.so", Program(type: 3, entry: 0).bytes, "a shared library, not a program"
            ),
            ("core", Program(type: 4).bytes, "an ELF file that is not a program"),
            (
                "nothing", Program(loader: "/x", isLoadable: false).bytes,
                "an ELF file that is not a program"
            ),
            (
                "arm", Program(machine: 183).bytes, "not a program for x86_64 but for aarch64"
            ),
            ("mips", Program(machine: 8).bytes, "not a program for x86_64 but for mips64"),
            ("alpha", Program(machine: 0x9026).bytes, "not a program for x86_64"),
        ] as [(String, [UInt8], String)] {
            let path = try write(name, bytes)
            #expect(refusal([path])?.description == "\(path): \(reason)")
        }
        let cut = try write("cut", Array(Program().bytes.prefix(40)))
        #expect(refusal([cut])?.description.hasPrefix("\(cut): ") == true)
        #expect(refusal([scratch.path + "/arm"], for: .arm64) == nil)
    }

    @Test func permissions() throws {
        let plain = try write("plain", Program().bytes, mode: 0o644)
        #expect(
            refusal([plain]) == VMError("\(plain): not executable", hint: "chmod +x \(plain)"))
        _ = try write("folder/data", "words", mode: 0o644)
        let folder = scratch.path + "/folder"
        #expect(
            refusal([folder])?.description
                == "\(folder): no test in this directory: nothing in it is executable")
        // Reading one would wait for a writer.
        let pipe = scratch.path + "/pipe"
        try #require(mkfifo(pipe, 0o755) == 0)
        #expect(refusal([pipe]) == VMError("\(pipe): not a regular file"))
        // Linkers let everybody execute shared libraries.
        _ = try write("folder/lib.so", Program(type: 3, entry: 0).bytes)
        #expect(refusal([folder])?.description.contains("no test") == true)
        _ = try write("folder/test", Program().bytes)
        let files = try GuestFiles([folder], seconds: 1, for: .x86)
        #expect(files.tests.map { $0.name } == ["test"])
        #expect(files.files.count == 3)
        // What is not to run need not be able to.
        _ = try write("folder/script", "#!/bin/sh\n")
        #expect(refusal([folder]) != nil)
        #expect(refusal([folder], denied: ["script": "no shell"]) == nil)
    }
}
