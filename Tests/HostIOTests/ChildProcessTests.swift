// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import Testing

@Suite struct ChildProcessTests {
    /// A shell that drops the parent's id stands in for a leash.
    private let launcher = ChildProcess.Launcher(
        leash: ["/bin/sh", "-c", #"shift; exec "$@""#, "leash"], environment: ["GREETING=hello"])

    private func all(_ child: inout ChildProcess) -> (out: String, err: String) {
        var out: [UInt8] = []
        var err: [UInt8] = []
        reading: while true {
            switch child.read(milliseconds: 5000) {
            case .output(let bytes): out += bytes
            case .errors(let bytes): err += bytes
            case .nothing, .control: break
            case .end: break reading
            }
        }
        return (String(decoding: out, as: UTF8.self), String(decoding: err, as: UTF8.self))
    }

    @Test func outputErrorsAndStatus() throws {
        var child = try ChildProcess(
            ["/bin/sh", "-c", "echo $GREETING; echo oops >&2; cat; exit 3"], launcher: launcher)
        let (out, err) = all(&child)
        #expect(out == "hello\n")
        #expect(err == "oops\n")
        #expect(child.wait() == .exited(3))
        #expect(child.wait() == .exited(3))
    }

    @Test func aFileInNoFolder() throws {
        let file = try MemoryFile(
            "words", with: [ByteView(Array("some ".utf8)), ByteView(Array("words".utf8))])
        var child = try ChildProcess(
            ["/bin/cat", ChildProcess.path(ofFile: 0)], launcher: launcher,
            files: [try OpenFile(file)])
        #expect(all(&child).out == "some words")
        #expect(child.wait() == .exited(0))
    }

    @Test func killed() throws {
        var child = try ChildProcess(["/bin/sleep", "1000"], launcher: launcher)
        if case .nothing = child.read(milliseconds: 10) {} else { Issue.record("something came") }
        child.kill()
        #expect(child.wait() == .signalled(SIGKILL))
    }

    /// Nobody is left behind when the value ends.
    @Test func ended() throws {
        var id: Int32 = 0
        do {
            var child = try ChildProcess(
                ["/bin/sh", "-c", "echo $$; exec sleep 1000"], launcher: launcher)
            waiting: while id == 0 {
                switch child.read(milliseconds: 5000) {
                case .output(let bytes):
                    id = Int32(String(decoding: bytes, as: UTF8.self).dropLast()) ?? -1
                case .errors, .nothing, .control: break
                case .end: break waiting
                }
            }
        }
        #expect(id > 0)
        #expect(kill(id, 0) == -1)
    }

    @Test func noSuchProgram() throws {
        let none = ChildProcess.Launcher(leash: ["/nowhere/leash"], environment: [])
        do throws(HostError) {
            _ = try ChildProcess(["/bin/true"], launcher: none)
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.description == "/nowhere/leash: cannot run: No such file or directory")
        }
    }
}
