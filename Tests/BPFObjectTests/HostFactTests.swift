// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

@testable import BPFObject

/// What libbpf would take from the build host is given, or refused.
@Suite struct HostFactTests {
    private func facts(
        _ facts: KernelFacts? = nil, _ change: (inout BPFImage) -> Void
    ) throws -> (facts: HostFacts?, errors: [BPFObjectError]) {
        var image = BPFImage()
        change(&image)
        image.program("p", in: "xdp")
        switch try image.read().hostFacts(facts) {
        case .success(let facts): return (facts, [])
        case .failure(let error): return (nil, error.errors)
        }
    }

    @Test func nothingNeeded() throws {
        let result = try facts { $0.map("m", type: 1) }
        #expect(result.facts == HostFacts())
    }

    @Test func notGiven() throws {
        let result = try facts { image in
            image.extern("CONFIG_HZ", in: ".kconfig")
            image.extern("CONFIG_MAYBE", in: ".kconfig", isWeak: true)
            image.extern("LINUX_KERNEL_VERSION", in: ".kconfig")
            image.extern("LINUX_HAS_BPF_COOKIE", in: ".kconfig")
        }
        #expect(
            result.errors.map(\.description) == [
                "x.o: .kconfig+0x0: 'CONFIG_HZ' is not given, and libbpf would read it from this machine's "
                    + "kernel",
                "x.o: .kconfig+0x4: 'CONFIG_MAYBE' is not given, and libbpf would read it from this machine's "
                    + "kernel",
                "x.o: .kconfig+0xc: 'LINUX_KERNEL_VERSION' is not given, and libbpf would use this machine's",
            ])
        #expect(result.errors[0].hint?.hasPrefix("--kconfig FILE") == true)
        #expect(result.errors[2].hint?.hasPrefix("--kernel-version") == true)
    }

    /// Each variable gets a line, so that libbpf has none left to look for.
    @Test func given() throws {
        let config = """
            # CONFIG_OFF is not set
            CONFIG_HZ=250
            CONFIG_HZ=100
            CONFIG_OTHER=y
            LINUX_KERNEL_VERSION=0x60109
            """
        let result = try facts(KernelFacts(file: "cfg", config: config)) { image in
            let bool = image.btf.int("_Bool", size: 1, encoding: IntEncoding.bool)
            let char = image.btf.int("char", size: 1)
            let text = image.btf.array(char, index: image.int, 4)
            image.extern("CONFIG_HZ", in: ".kconfig")
            image.extern("CONFIG_OFF", type: bool, in: ".kconfig", isWeak: true)
            image.extern("CONFIG_TEXT", type: text, in: ".kconfig", isWeak: true)
            image.extern("LINUX_KERNEL_VERSION", in: ".kconfig")
        }
        #expect(result.facts?.kconfig == "CONFIG_HZ=250\nCONFIG_OFF=n\nCONFIG_TEXT=\"\"\n")
        #expect(
            result.facts?.corrections == [.init(offset: 4, bytes: [9, 1, 6, 0])])
    }

    @Test func versionFirst() throws {
        var image = BPFImage(bigEndian: true)
        let long = image.btf.int("long", size: 8)
        image.extern("LINUX_KERNEL_VERSION", type: long, in: ".kconfig")
        let facts = KernelFacts(
            file: "cfg", config: "LINUX_KERNEL_VERSION=1", version: 0x60c00)
        let result = try image.read().hostFacts(facts).get()
        #expect(result.corrections == [.init(offset: 0, bytes: [0, 0, 0, 0, 0, 6, 12, 0])])
        #expect(result.kconfig == "")
    }

    @Test func missingAndUnknown() throws {
        let config = KernelFacts(file: "cfg", config: "CONFIG_A=y")
        let result = try facts(config) { image in
            image.extern("CONFIG_B", in: ".kconfig")
            image.extern("LINUX_HAS_MAGIC", in: ".kconfig")
            image.extern("LINUX_MAYBE", in: ".kconfig", isWeak: true)
            image.extern("NUMBER", in: ".kconfig", isWeak: true)
        }
        #expect(
            result.errors.map(\.message) == [
                "'CONFIG_B' is not set in cfg",
                "'LINUX_HAS_MAGIC' is neither CONFIG_... nor known to libbpf",
                "'NUMBER' is neither CONFIG_... nor known to libbpf",
            ])
        // Weak it is already.
        #expect(result.errors[2].hint == "libbpf fills in names that begin with CONFIG_ or LINUX_")
    }

    /// What libbpf could not put into a variable, or only in part.
    @Test func valuesThatDoNotFit() throws {
        var image = BPFImage()
        let char = image.btf.int("char", size: 1)
        let types = [
            "bool": image.btf.int("_Bool", size: 1, encoding: IntEncoding.bool), "char": char,
            "short": image.btf.int("short", size: 2),
            "unsigned": image.btf.int("unsigned short", size: 2, encoding: 0),
            "long": image.btf.int("long", size: 8),
            "state": image.btf.enumeration("libbpf_tristate", [("TRI_NO", 0)]),
            "text": image.btf.array(char, index: image.int, 4),
        ]
        let btf = try image.btf.parse()
        func takes(_ type: String, _ value: String) throws -> Bool {
            let type = try #require(KconfigType(TypeID(types[type]!), in: btf))
            return type.fault(of: value) == nil
        }
        for (type, good, bad) in [
            ("bool", ["y", "n"], ["m", "1", "", "yes"]),
            ("state", ["y", "m", "n"], ["1", "\"y\""]),
            ("char", ["y", "m", "n", "127", "-128", "0x10"], ["128", "a", ""]),
            ("short", ["32767", "-32768", "0x7fff", "010"], ["32768", "-32769", "1k", "y", "-"]),
            ("unsigned", ["65535", "0"], ["65536", "-1"]),
            ("long", ["-1", "18446744073709551615"], ["18446744073709551616", "--1"]),
            ("text", ["\"\"", "\"abc\""], ["\"abcd\"", "abc", "\"", "y"]),
        ] as [(String, [String], [String])] {
            for value in good { #expect(try takes(type, value), "\(type) \(value)") }
            for value in bad { #expect(try !takes(type, value), "\(type) \(value)") }
        }
    }

    @Test func versions() {
        #expect(KernelFacts.versionCode("6.1") == 0x60100)
        #expect(KernelFacts.versionCode("6.12.9") == 0x60c09)
        #expect(KernelFacts.versionCode("4.9.300") == 0x409ff)
        #expect(KernelFacts.versionCode("393216") == 0x60000)
        for text in ["", "6", "6.", "6.1.2.3", "6.x", "6.1-rc1", "300.1", "6.300", "-6.1"] {
            #expect(KernelFacts.versionCode(text) == nil, "\(text)")
        }
    }

    /// Nobody can give these.
    @Test func addressesCPUsAndPins() throws {
        let result = try facts(KernelFacts(file: "cfg", config: "CONFIG_A=y")) { image in
            let void = image.btf.wrap(.const, 0)
            image.extern("strong", type: void, in: ".ksyms")
            image.extern("weak", type: void, in: ".ksyms", isWeak: true)
            image.map("events", type: 4, entries: 0)
            image.map("sized", type: 4, entries: 4)
            image.map("pinned", [("type", image.number(1)), ("pinning", image.number(1))])
        }
        #expect(
            result.errors.map(\.description) == [
                "x.o: .ksyms: 'strong' has no type, so libbpf reads its address from this machine's "
                    + "/proc/kallsyms",
                "x.o: .ksyms: 'weak' has no type, so libbpf reads its address from this machine's "
                    + "/proc/kallsyms",
                "x.o: .maps+0x0: map 'events' has no size, so libbpf uses this machine's number of CPUs",
                "x.o: .maps+0x40: map 'pinned' is pinned by its name, which libbpf looks up in this machine's "
                    + "/sys/fs/bpf",
            ])
        #expect(result.errors.allSatisfy { $0.hint != nil })
    }
}
