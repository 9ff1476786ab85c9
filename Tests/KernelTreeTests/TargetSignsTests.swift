// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import KernelTree

/// What decides which kernel a file is for, where nobody names it.
@Suite struct TargetSignsTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func choice(_ signs: TargetSigns) -> TargetChoice? {
        TargetChoice(named: nil, "", signs: signs)
    }

    private func base(
        _ path: String, release: String? = nil, _ build: (inout BTFAssembler) -> Void = { _ in }
    ) throws -> TargetSigns.Base {
        var asm = BTFAssembler()
        asm.int()
        build(&asm)
        return TargetSigns.Base(
            path: path, release: release.flatMap { KernelRelease($0) },
            evidence: TargetEvidence(try asm.parse()))
    }

    /// A build tree that says its release, with a list of kinds.
    private func tree(_ name: String, release: String, kinds: [String]? = nil) throws
        -> KernelTreePlace
    {
        try scratch.write("\(name)/include/config/kernel.release", Array((release + "\n").utf8))
        if let kinds {
            try scratch.write("\(name)/include/uapi/linux/btf.h", Array(header(kinds).utf8))
        }
        return KernelTreePlace("\(scratch.path)/\(name)")
    }

    private func header(_ kinds: [String]) -> String {
        "enum {\n" + (["DATASEC"] + kinds).map { "\tBTF_KIND_\($0),\n" }.joined() + "};\n"
    }

    @Test func nothingIsKnown() throws {
        #expect(choice(TargetSigns()) == nil)
        var signs = TargetSigns()
        signs.base = try base("small.btf")
        signs.trees = [KernelTreePlace(scratch.path + "/nowhere")]
        #expect(choice(signs) == nil)
    }

    @Test func order() throws {
        var signs = TargetSigns()
        signs.trees = [
            KernelTreePlace(scratch.path + "/nowhere"), try tree("t", release: "5.10.9"),
            try tree("u", release: "5.4.1"),
        ]
        #expect(
            choice(signs)?.description == "Linux 5.10, by the tree \(scratch.path)/t (5.10.9)")
        signs.own = KernelRelease("5.15.0-1-generic")
        #expect(
            choice(signs)?.description == "Linux 5.15, by its vermagic (5.15.0-1-generic)")
        signs.base = try base("b", release: "6.1.0-9")
        #expect(choice(signs)?.description == "Linux 6.1, by the base b (6.1.0-9)")
        let named = TargetChoice(named: try KernelTarget.find("6.12"), "6.12", signs: signs)
        #expect(named?.isNamed == true && named?.source == "--target 6.12")
    }

    /// What is not a release of numbers decides nothing.
    @Test(arguments: ["next", "rolling-1", "mainline"]) func releaseWithoutNumbers(_ text: String)
        throws
    {
        var signs = TargetSigns()
        signs.own = KernelRelease(text)
        #expect(choice(signs) == nil)
        signs.trees = [try tree("t", release: "5.17.0")]
        #expect(choice(signs)?.rules.version == KernelVersion(5, 17))
    }

    /// A distribution brought kinds to its 5.14; the header of its tree lists them.
    @Test(
        arguments: [
            (["FLOAT"], [], [.declTag, .typeTag, .enum64]),
            (["FLOAT", "DECL_TAG"], [.declTag], [.typeTag, .enum64]),
            (["FLOAT", "DECL_TAG", "TYPE_TAG", "ENUM64"], [.declTag, .typeTag, .enum64], []),
        ] as [([String], Set<KernelAbility>, Set<KernelAbility>)])
    func header(_ kinds: [String], _ has: Set<KernelAbility>, _ lacks: Set<KernelAbility>) throws {
        var signs = TargetSigns()
        signs.own = KernelRelease("5.14.0-427.el9")
        signs.trees = [try tree("t", release: "5.14.0-427.el9", kinds: kinds)]
        let found = try #require(choice(signs))
        #expect(found.rules.abilities.isSuperset(of: has))
        #expect(found.rules.abilities.isDisjoint(with: lacks))
        #expect(
            found.source
                == "its vermagic (5.14.0-427.el9) and the header "
                + "\(scratch.path)/t/include/uapi/linux/btf.h")
        for ability in lacks { #expect(found.surelyLacks(ability)) }
    }

    /// A tree of another release says nothing about this kernel, nor does a header that is not one.
    @Test func foreignTree() throws {
        var signs = TargetSigns()
        signs.own = KernelRelease("5.14.0-427.el9")
        signs.trees = [
            try tree("other", release: "6.1.0", kinds: ["FLOAT", "DECL_TAG", "TYPE_TAG", "ENUM64"])
        ]
        try scratch.write("broken/include/uapi/linux/btf.h", Array("/* empty */".utf8))
        signs.trees.append(KernelTreePlace(scratch.path + "/broken"))
        let found = try #require(choice(signs))
        #expect(found.source == "its vermagic (5.14.0-427.el9)")
        #expect(!found.rules.has(.enum64))
    }

    /// The header of a separate source folder, and of `source` beside `build`.
    @Test(arguments: ["objtree", "lib/modules/R/build"]) func sourceElsewhere(_ folder: String)
        throws
    {
        try scratch.write("\(folder)/include/config/kernel.release", Array("5.15.3\n".utf8))
        let isInstalled = folder.hasSuffix("/build")
        let source = isInstalled ? "lib/modules/R/source" : "srctree"
        try scratch.write(
            "\(source)/include/uapi/linux/btf.h", Array(header(["FLOAT", "DECL_TAG"]).utf8))
        var signs = TargetSigns()
        signs.own = KernelRelease("5.15.3")
        signs.trees = [
            KernelTreePlace(
                "\(scratch.path)/\(folder)",
                source: isInstalled ? nil : "\(scratch.path)/\(source)")
        ]
        let found = try #require(choice(signs))
        #expect(found.rules.has(.declTag) && !found.rules.has(.enum64))
    }

    /// A kernel's own debug information names what its list of kinds has, before any tree is asked.
    @Test func debugInformation() throws {
        var signs = TargetSigns()
        (signs.isKernel, signs.own) = (true, KernelRelease("5.14.0-1"))
        signs.trees = [try tree("t", release: "5.14.0-1", kinds: ["FLOAT"])]
        let names = "other\0BTF_KIND_DATASEC\0BTF_KIND_FLOAT\0xBTF_KIND_ENUM64\0BTF_KIND_TYPE_TAG\0"
        signs.ownEvidence = { TargetEvidence(names: ByteView(Array(names.utf8))) }
        let found = try #require(choice(signs))
        #expect(found.source == "its banner (5.14.0-1)")
        #expect(found.rules.has(.typeTag) && !found.rules.has(.enum64))
        // One that holds no list leaves it to the tree.
        signs.ownEvidence = { TargetEvidence(names: ByteView(Array("nothing\0".utf8))) }
        #expect(choice(signs)?.rules.has(.typeTag) == false)
    }

    @Test func namesOfNoList() {
        for text in ["", "BTF_KIND_DATASEC", "BTF_KIND_DATASECS\0", "_BTF_KIND_DATASEC\0"] {
            #expect(TargetEvidence(names: ByteView(Array(text.utf8))) == nil, "\(text)")
        }
    }

    /// A base without a release says no more of its kernel than it shows.
    @Test func baseAlone() throws {
        var signs = TargetSigns()
        signs.base = try base("b.btf") { asm in
            asm.enumeration(
                "", [("BTF_KIND_UNKN", 0), ("BTF_KIND_FLOAT", 16), ("BTF_KIND_ENUM64", 19)])
        }
        let found = try #require(choice(signs))
        #expect(found.description == "a kernel like Linux 6.0, by the base b.btf")
        // What BTF need not show is not held against the kernel.
        #expect(found.rules.has(.longNames) && !found.surelyLacks(.longNames))
    }

    /// How long names may be shows in the types of the code that keeps them.
    @Test(arguments: [
        ("bpf_ksym", UInt32(128)), ("kallsym_iter", 128), ("bpf_ksym", 512), ("kallsym_iter", 512),
    ])
    func nameLimit(_ name: String, _ limit: UInt32) throws {
        var signs = TargetSigns()
        signs.own = KernelRelease(limit == 128 ? "6.1.0-1" : "5.15.0-1")
        signs.base = try base("b.btf") { asm in
            asm.structure(name, size: limit + 16, [("name", asm.array(1, index: 1, limit), 128)])
        }
        let found = try #require(choice(signs))
        #expect(found.rules.maxNameLength == Int(limit))
        #expect(found.surelyLacks(.longNames) == (limit == 128))
    }
}
