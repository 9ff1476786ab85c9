// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import BTF
import Bytes
import TestSupport
import Testing

@testable import BPFObject

/// Linking by libbpf, of objects in memory.
@Suite struct LinkerTests {
    private func input(_ name: String, _ image: BPFImage) throws -> Linker.Input {
        try Linker.Input(image.view(), path: name)
    }

    /// A program that calls `helper`, and `helper`.
    private func pair() throws -> [Linker.Input] {
        var caller = BPFImage()
        caller.btf.function("helper", caller.btf.prototype(returns: caller.int), linkage: .extern)
        caller.btf.function("p", caller.btf.prototype(returns: caller.int), linkage: .global)
        let symbol = caller.extern("helper", in: nil)
        let program = caller.program("p", in: "xdp", [.call(), .exit])
        caller.relocate(program, instruction: 0, to: symbol)
        caller.map("first", type: 1)

        var callee = BPFImage()
        callee.btf.function("helper", callee.btf.prototype(returns: callee.int), linkage: .global)
        callee.program("helper", in: ".text")
        callee.map("second", type: 2)
        return [try input("caller.o", caller), try input("callee.o", callee)]
    }

    @Test func externsFindTheirDefinitions() throws {
        let inputs = try pair()
        #expect(
            inputs[0].object.loaderObstacles().map(\.message) == ["'helper' is defined nowhere"])
        let linked = try Linker.link(inputs, name: "out.o")
        let object = try BPFObject(linked.bytes, path: "out.o")
        #expect(object.programs.map(\.name) == ["p"])
        let program = try #require(object.functions.first { $0.name == "p" })
        let helper = try #require(object.functions.firstIndex { $0.name == "helper" })
        #expect(program.references == [.init(instruction: 0, target: .call(function: helper))])
        #expect(object.maps.map(\.name) == ["first", "second"])
        #expect(object.maps.map(\.definition.type) == [1, 2])
        #expect(object.externs == [] && object.license == "GPL")
        #expect(object.loaderObstacles() == [])
        #expect(linked.warnings == [])
        // What the inputs are called is not in it.
        let again = try Linker.link(try pair(), name: "other.o")
        #expect(again.bytes.array == linked.bytes.array)
    }

    /// A map that is declared in one object and defined in the other. libbpf leaves its places out of order.
    @Test func externMaps() throws {
        func members(_ image: inout BPFImage) -> [(String, UInt32)] {
            [("type", image.number(1)), ("max_entries", image.number(8))]
        }
        var user = BPFImage()
        let list = members(&user)
        let type = user.btf.structure(
            size: 16, [(list[0].0, list[0].1, 0), (list[1].0, list[1].1, 64)])
        let symbol = user.extern("shared", type: type, in: ".maps")
        user.map("own", members(&user))
        user.btf.function("p", user.btf.prototype(returns: user.int), linkage: .global)
        let program = user.program("p", in: "xdp", [.load(1), .exit])
        user.relocate(program, instruction: 0, to: symbol)
        var owner = BPFImage()
        owner.map("shared", members(&owner))
        let inputs = [try input("user.o", user), try input("owner.o", owner)]
        #expect(inputs[0].object.maps.map(\.name) == ["own"])
        let bytes = try Linker.link(inputs, name: "out.o").bytes
        let object = try BPFObject(bytes, path: "out.o")
        #expect(object.maps.map(\.name).sorted() == ["own", "shared"])
        let shared = try #require(object.maps.firstIndex { $0.name == "shared" })
        #expect(object.functions[0].references == [.init(instruction: 0, target: .map(shared))])
        // libbpf cannot leave it for later: it puts the declaration over another map.
        guard case .object(let error) = failure([inputs[0]]) else {
            Issue.record("linked")
            return
        }
        #expect(
            error.description
                == "out.o: .maps: 'shared' is declared, has a place, and is defined nowhere")
    }

    private func failure(_ inputs: [Linker.Input]) -> Linker.Failure? {
        do throws(Linker.Failure) { _ = try Linker.link(inputs, name: "out.o") } catch {
            return error
        }
        return nil
    }

    @Test func defineTheSame() throws {
        var one = BPFImage()
        one.btf.function("f", one.btf.prototype(), linkage: .global)
        one.program("f", in: ".text")
        guard case .object(let error) = failure([try input("a.o", one), try input("b.o", one)])
        else {
            Issue.record("linked")
            return
        }
        #expect(error.description == "b.o: .text+0x0: 'f' is defined in a.o (.text) as well")
        #expect(error.hint != nil)
        // Of weak ones the first counts.
        var weak = BPFImage()
        weak.btf.function("f", weak.btf.prototype(), linkage: .global)
        weak.program("f", in: ".text", isWeak: true, [.move(0, 7), .exit])
        for inputs in [[weak, weak], [weak, one], [one, weak]] {
            let linked = try Linker.link(
                try inputs.enumerated().map { try input("\($0).o", $1) }, name: "out.o")
            let object = try BPFObject(linked.bytes, path: "out.o")
            #expect(object.functions.map(\.name) == ["f"])
        }
    }

    @Test func whatLibbpfSays() throws {
        let one = try input("a.o", BPFImage(license: "GPL"))
        let other = try input("b.o", BPFImage(license: "MIT"))
        guard case .libbpf(let error) = failure([one, other]) else {
            Issue.record("linked")
            return
        }
        #expect(error.file == "b.o" && error.step == "link")
        #expect(
            error.description.contains("non-identical contents of section 'license'"),
            "\(error)")
        // It was given another name for the file.
        #expect(!error.description.contains("/proc/"))
    }
}
