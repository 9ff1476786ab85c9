// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Skeleton

@Suite("what a module is to do")
struct ModulePlanTests {
    private func plan(
        _ programs: [LightSkeleton.Program], license: String = "GPL", unattached: [String] = [],
        published: [(program: String, file: String?)] = [], name: String = "demo"
    ) throws(ModuleError) -> ModulePlan {
        try ModulePlan(
            ModuleSketch.skeleton(name, programs: programs), mode: .attach, license: license,
            unattached: unattached, published: published)
    }

    private let opened = ModuleSketch.program("opened", .tracing)

    @Test("programs are attached in the object's order, others held, what is not loaded neither")
    func sorted() throws {
        let plan = try plan(
            [
                ModuleSketch.program("a", .tracing), ModuleSketch.program("b", .link(.cgroup)),
                ModuleSketch.program("c", .rawTracepoint("sched_switch")),
                ModuleSketch.program("d", .none(reason: "not loaded"), isLoaded: false),
            ], unattached: ["d", "b"])
        #expect(plan.attached.map(\.identifier) == ["a", "c"])
        #expect(plan.held.map(\.identifier) == ["b"])
        #expect(
            plan.manifest(object: nil, options: []).programs.map(\.link)
                == [.tracing, .none, .rawTracepoint])
    }

    @Test("each program that cannot be attached is named, and how to go on without")
    func unattachable() {
        #expect(
            throws: ModuleError(
                "a module cannot attach 2 programs: b: it needs a target, a cgroup, which a module does not have; c: it is attached through netlink",
                hint: "--no-attach b --no-attach c to load without attaching")
        ) {
            try plan([
                opened, ModuleSketch.program("b", .link(.cgroup)),
                ModuleSketch.program("c", .none(reason: "it is attached through netlink")),
            ])
        }
    }

    @Test("the way without attaching is none if nothing is left to attach")
    func onlyUnattachable() {
        #expect(
            throws: ModuleError(
                "a module cannot attach program c: it is attached through netlink", hint: nil)
        ) {
            try plan([ModuleSketch.program("c", .none(reason: "it is attached through netlink"))])
        }
    }

    @Test("a module without a program to attach is none")
    func nothing() {
        let error = ModuleError("no program to attach: the module would do nothing")
        #expect(throws: error) { try plan([]) }
        #expect(throws: error) { try plan([opened], unattached: ["opened"]) }
    }

    @Test("a name that is not a program's is an error")
    func unknown() {
        #expect(
            throws: ModuleError("--no-attach closed: the object has no program with that name")
        ) { try plan([opened], unattached: ["closed"]) }
    }

    @Test(
        "licenses are those that give modules the kernel's GPL symbols",
        arguments: [
            ("GPL", true), ("GPL v2", true), ("Dual BSD/GPL", true), ("Dual MIT/GPL", true),
            ("BSD", false), ("gpl", false), ("Proprietary", false), ("", false),
        ])
    func licenses(license: String, isTaken: Bool) {
        #expect(((try? plan([opened], license: license)) != nil) == isTaken)
    }

    @Test("a module's name has 55 bytes at most")
    func names() throws {
        _ = try plan([opened], name: String(repeating: "n", count: 55))
        #expect(throws: ModuleError.self) {
            try plan([opened], name: String(repeating: "n", count: 56))
        }
        #expect(throws: ModuleError("'a-b' is not a valid C identifier", hint: "--name NAME")) {
            try plan([opened], name: "a-b")
        }
    }

    @Test("two iterators are published, under the names of programs unless named")
    func published() throws {
        let plan = try plan(
            [opened, ModuleSketch.iterator("maps"), ModuleSketch.iterator("list_all_programs")],
            published: [("list_all_programs", "progs.debug"), ("maps", nil)])
        #expect(
            plan.published == [
                .init(program: "list_all_programs", file: "progs.debug"),
                .init(program: "maps", file: "maps"),
            ])
    }

    @Test("the kernel's own object has the names that it always had")
    func iterators() throws {
        let plan = try plan(
            [ModuleSketch.iterator("dump_bpf_map"), ModuleSketch.iterator("dump_bpf_prog")],
            published: [("dump_bpf_map", nil), ("dump_bpf_prog", nil)], name: "iterators_bpf")
        #expect(plan.published.map(\.file) == ["maps.debug", "progs.debug"])
    }

    @Test(
        "what the kernel would take for an iterator's link, or not take at all, is refused",
        arguments: [
            (["a"], "exactly two iterators, not 1"), (["a", "b", "c"], "not 3"),
            (["a", "opened"], "--publish opened: lsm/x is not an iterator"),
            (["a", "held"], "--publish held: no program with that name is attached"),
            (["a", "a"], "a twice"), (["a=x", "b=x"], "duplicate file 'x'"),
            (["a", "b=sixteen_letters_"], "'sixteen_letters_' has 16 bytes, 1 to 15 are possible"),
            (["a", "b="], "has 0 bytes"), (["a", "b=x/y"], "'x/y' is no name for a file"),
            (["a", "b=.."], "'..' is no name for a file"),
            (["a", "an_iterator_of_16"], "has 17 bytes"),
        ])
    func unpublishable(wishes: [String], message: String) throws {
        let wishes = wishes.map { wish -> (program: String, file: String?) in
            let parts = wish.split(separator: "=", omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
        }
        let programs =
            [opened]
            + ["a", "b", "c", "an_iterator_of_16", "held"].map { ModuleSketch.iterator($0) }
        let error = #expect(throws: ModuleError.self) {
            try plan(programs, unattached: ["held"], published: wishes)
        }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }
}
