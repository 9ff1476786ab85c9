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
            inputs[0].object.loaderObstacles(of: LibBPF.version).map(\.message) == [
                "'helper' is not defined"
            ])
        let linked = try Linker.link(inputs, name: "out.o")
        let object = try BPFObject(linked.bytes, path: "out.o")
        #expect(object.programs.map(\.name) == ["p"])
        let program = try #require(object.functions.first { $0.name == "p" })
        let helper = try #require(object.functions.firstIndex { $0.name == "helper" })
        #expect(program.references == [.init(instruction: 0, target: .call(function: helper))])
        #expect(object.maps.map(\.name) == ["first", "second"])
        #expect(object.maps.map(\.definition.type) == [1, 2])
        #expect(object.externs == [] && object.license == "GPL")
        #expect(object.loaderObstacles(of: LibBPF.version) == [])
        #expect(linked.warnings == [])
        // What the inputs are called is not in it.
        let again = try Linker.link(try pair(), name: "other.o")
        #expect(again.bytes.array == linked.bytes.array)
    }

    /// A map that is declared in one object and defined in the other. libbpf leaves its places out
    /// of order.
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
        // Left for later, it stays a declaration; libbpf puts it over another map.
        let half = try Linker.link([inputs[0]], name: "half.o").bytes
        #expect(try BPFObject(half, path: "half.o").externs.map(\.name) == ["shared"])
        let whole = try Linker.link(
            [try Linker.Input(half, path: "half.o"), inputs[1]], name: "out.o"
        ).bytes
        let again = try BPFObject(whole, path: "out.o")
        #expect(again.maps.map(\.name).sorted() == ["own", "shared"] && again.externs == [])
        #expect(again.functions[0].references.count == 1)
    }

    /// Variables that are declared in a section of their own: those of arenas, and with SEC().
    @Test(arguments: [".addr_space.1", ".data.shared", ".bss.shared", ".rodata.shared"])
    func externVariables(section: String) throws {
        func user(_ name: String) throws -> Linker.Input {
            var image = BPFImage()
            image.btf.function(name, image.btf.prototype(returns: image.int), linkage: .global)
            let own = image.global("own_" + name, size: 8, in: section)
            let shared = image.extern("shared", in: section)
            let program = image.program(name, in: "xdp", [.load(1), .load(2), .exit])
            image.relocate(program, instruction: 0, to: shared)
            image.relocate(program, instruction: 1, to: own)
            return try input(name + ".o", image)
        }
        var owner = BPFImage()
        owner.global("first", size: 8, in: section)
        owner.global("shared", size: 4, in: section)
        let (a, b, def) = (try user("a"), try user("b"), try input("def.o", owner))
        for (inputs, places) in [
            ([def, a], ["first": 0, "shared": 8, "own_a": 16]),
            ([a, def], ["own_a": 0, "first": 8, "shared": 16]),
            ([a, b, def], ["own_a": 0, "own_b": 8, "first": 16, "shared": 24]),
            ([b, def, a], ["own_b": 0, "first": 8, "shared": 16, "own_a": 24]),
        ] {
            let bytes = try Linker.link(inputs, name: "out.o").bytes
            let object = try BPFObject(bytes, path: "out.o")
            let variables = object.arena?.variables ?? object.maps[0].contents!.variables
            #expect(
                Dictionary(uniqueKeysWithValues: variables.map { ($0.name, $0.offset) }) == places)
            // The DATASEC is in the order of its places, and the symbols say the same.
            #expect(variables.map(\.offset) == variables.map(\.offset).sorted())
            for definition in object.definitions where definition.section == section {
                #expect(definition.offset == places[definition.name])
            }
            #expect(object.externs == [])
            for function in object.functions {
                #expect(
                    function.references.map(\.target).contains {
                        $0 == .arena(offset: places["shared"]!)
                            || $0 == .data(map: 0, offset: places["shared"]!)
                    })
            }
        }
        // Without a definition it stays undefined, whatever lies at the section's start.
        let alone = try BPFObject(try Linker.link([a, b], name: "out.o").bytes, path: "out.o")
        #expect(alone.externs.map(\.name) == ["shared"])
        #expect(!alone.definitions.map(\.name).contains("shared"))
    }

    @Test func otherByteOrder() throws {
        var other = BPFImage(bigEndian: UInt16(1).bigEndian != 1)
        other.program("p", in: "xdp")
        guard case .object(let error) = failure([try input("p.o", other)]) else {
            Issue.record("linked")
            return
        }
        #expect(error.message.contains(" links objects in the byte order of its machine only"))
        #expect(error.hint?.hasPrefix("run kbtf on a") == true)
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
        #expect(error.description == "b.o: .text+0x0: 'f' is also defined in a.o (.text)")
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
