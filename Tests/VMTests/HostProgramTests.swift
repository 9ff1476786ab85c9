// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import Glibc
import HostIO
import TestSupport
import Testing

@testable import VM

/// Programs of the host's that come along with their libraries.
@Suite struct HostProgramTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A program, or a library, that is linked to others.
    private func link(
        _ name: String, _ options: String = "", source: String = "int main(void) { return 0; }"
    ) throws -> String {
        let path = scratch(name)
        _ = try Shell.run(
            "mkdir -p \"$(dirname '\(path)')\" && "
                + "echo '\(source)' | cc -x c -o '\(path)' - -x none \(options)"
        )
        return path
    }

    private func message(_ body: () throws(VMError) -> Void) -> String? {
        do throws(VMError) { try body() } catch { return error.description }
        return nil
    }

    @Test(.enabled(if: Architecture.ofHost == .x86)) func withLibraries() throws {
        let inner = try link("lib/libinner.so", "-shared -fPIC", source: "int inner;")
        let outer = try link(
            "lib/libouter.so",
            "-shared -fPIC -Wl,--no-as-needed,-rpath,'$ORIGIN' '\(inner)' -Wl,-soname,libouter.so",
            source: "int outer;")
        let program = try link(
            "bin/program",
            "-Wl,--no-as-needed,-rpath,'$ORIGIN/../lib' -L'\(scratch.path)/lib' -l:libouter.so")
        let programs = try HostPrograms([program], for: .x86)
        let paths = programs.files.map(\.path)
        #expect(paths.first == program && paths.contains(outer) && paths.contains(inner))
        #expect(paths.contains { $0.hasSuffix("/libc.so.6") })
        #expect(paths.contains("/lib64/ld-linux-x86-64.so.2"))
        #expect(Set(paths).count == paths.count)
        #expect(programs.files[0].bytes.array == (try FileReader.map(program).array))

        // A test gets its own, and needs no more than a loader that is there.
        let test = try link("tests/test", "-Wl,--no-as-needed '\(inner)'")
        let shell = try HostPrograms(["/bin/sh"], for: .x86)
        #expect(shell.paths.isSuperset(of: ["/bin/sh", "/usr/bin/sh"]))
        let files = try GuestFiles([test], seconds: 1, programs: shell, for: .x86)
        var more = shell
        try more.addLibraries(of: files)
        #expect(more.paths.contains(inner) && !shell.paths.contains(inner))
        #expect(
            message { () throws(VMError) in _ = try GuestFiles([test], seconds: 1, for: .x86) }
                != nil)

        unlink(inner)
        #expect(
            message { () throws(VMError) in _ = try HostPrograms([program], for: .x86) }
                == "\(outer): needs \(inner), which is not in any of \(scratch.path)/lib, "
                + "/lib/x86_64-linux-gnu, /usr/lib/x86_64-linux-gnu, /lib64, /usr/lib64, /lib, /usr/lib"
        )
    }

    @Test func refused() throws {
        let script = try scratch.write("script", "#!/bin/sh\n")
        let library = try link("libx.so", "-shared -fPIC", source: "int x;")
        for (path, words) in [
            ("bin/sh", "--program bin/sh: expected the name of a program, or its absolute path"),
            ("/bin/../bin/sh", "--program /bin/../bin/sh: expected"),
            ("/usr/bin/python3.11", "it needs the files of its library"),
            (scratch("none"), "No such file"), (script, "not a program (ELF)"),
            (library, "a shared library, not a program"),
        ] {
            let said = message { () throws(VMError) in _ = try HostPrograms([path], for: .x86) }
            #expect(said?.contains(words) == true, "\(path): \(said ?? "accepted")")
        }
        #expect(
            message { () throws(VMError) in _ = try HostPrograms(["/bin/sh"], for: .s390x) } != nil)
    }

    /// Nothing that a file says leads to a trap, or to more than there is.
    @Test func damage() throws {
        let program = try FileReader.map(try link("program", "-Wl,-rpath,/opt")).array
        let file = try ELFFile(ByteView(program), path: "program")
        let dynamic = try #require(file.section(named: ".dynamic"))
        let place = Int(dynamic.offset)
        for offset in stride(from: place, to: place + Int(dynamic.size), by: 1) {
            for value in [0, 1, 15, 29, 0xff] as [UInt8] {
                var bytes = program
                bytes[offset] = value
                let needs = try? DynamicNeeds(try ELFFile(ByteView(bytes), path: "program"))
                #expect((needs?.libraries.count ?? 0) < 1000)
            }
        }
    }
}

extension Architecture {
    /// That of the tests' own machine; nil for others.
    fileprivate static var ofHost: Architecture? {
        #if arch(x86_64)
            .x86
        #elseif arch(arm64)
            .arm64
        #else
            nil
        #endif
    }
}
