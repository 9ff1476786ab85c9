// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@testable import BPFLoad
@testable import BPFObject

private let hasClang = system("command -v clang-16 >/dev/null 2>&1") == 0

@Suite(.enabled(if: hasClang, "no clang-16"))
struct LoaderTraceTests {
    static let source = """
        #define SEC(name) __attribute__((section(name), used))
        #define __uint(name, val) int (*name)[val]
        #define __type(name, val) __typeof__(val) *name
        struct {
            __uint(type, 1);
            __uint(max_entries, 10);
            __uint(map_flags, 1);
            __type(key, int);
            __type(value, long);
        } counts SEC(".maps");
        int started = 5;
        const volatile int limit = 7;
        int zero;
        int apart SEC(".data.apart") = 9;
        SEC("raw_tp/sys_enter") int enter(void *ctx) {
            zero += started + limit + apart;
            return 0;
        }
        SEC("lsm/file_open") int opened(void *ctx) { return 0; }
        SEC("?fentry/nothing") int left(void *ctx) { return 0; }
        char LICENSE[] SEC("license") = "GPL";
        """

    private func compile(_ source: String) throws -> ByteView {
        let scratch = try Scratch()
        let file = try scratch.write("a.c", source)
        try #require(
            system("cd '\(scratch.path)' && clang-16 -g -O2 -target bpf -c '\(file)' -o a.o") == 0)
        // Copied: the directory goes.
        return ByteView(try FileReader.map(scratch.path + "/a.o").array)
    }

    private func trace(_ object: ByteView, name: String = "demo") throws -> LoaderTrace {
        try LoaderTrace.run(object: object, path: "a.o", name: name, facts: HostFacts())
    }

    @Test func mapsAreThoseOfTheContext() throws {
        let maps = try trace(compile(Self.source)).maps
        #expect(
            maps.map(\.name)
                == ["counts", "demo.data", "demo.rodata", ".data.apart", "demo.bss"]
                .sorted { a, b in
                    maps.firstIndex { $0.name == a } ?? 9 < maps.firstIndex { $0.name == b } ?? 9
                })
        let counts = try #require(maps.first)
        #expect(counts.name == "counts")
        #expect(counts.type == 1 && counts.keySize == 4 && counts.valueSize == 8)
        #expect(counts.maxEntries == 10 && counts.flags == 1)
        #expect(!counts.isInternal && counts.initialValue == nil)
        func value(_ name: String) -> [UInt8]? { maps.first { $0.name == name }?.initialValue }
        #expect(value("demo.data") == [5, 0, 0, 0])
        #expect(value("demo.rodata") == [7, 0, 0, 0])
        #expect(value("demo.bss") == [0, 0, 0, 0])
        #expect(value(".data.apart") == [9, 0, 0, 0])
        // BPF_F_RDONLY_PROG | BPF_F_MMAPABLE
        #expect(maps.first { $0.name == "demo.rodata" }?.flags == 0x480)
    }

    @Test func programsAreThoseOfTheContext() throws {
        let programs = try trace(compile(Self.source)).programs
        let byName = Dictionary(uniqueKeysWithValues: programs.map { ($0.name, $0) })
        #expect(byName.count == 3)
        #expect(byName["enter"]?.section == "raw_tp/sys_enter")
        #expect(byName["enter"]?.type == ProgramType.rawTracepoint.rawValue)
        #expect(byName["opened"]?.type == ProgramType.lsm.rawValue)
        #expect(byName["opened"]?.expectedAttachType == AttachType.lsmMac.rawValue)
        #expect(byName["opened"]?.isLoaded == true)
        #expect(byName["left"]?.isLoaded == false)
    }

    @Test func theLoaderHoldsWhatItLoads() throws {
        let trace = try trace(compile(Self.source))
        #expect(trace.instructions.count > 100 && trace.instructions.count % 8 == 0)
        // The last instruction is BPF_EXIT.
        #expect(trace.instructions.suffix(8).elementsEqual([0x95, 0, 0, 0, 0, 0, 0, 0]))
        for name in ["demo.bss", "counts", "opened", "bpf_lsm_file_open"] {
            #expect(trace.data.firstRange(of: Array(name.utf8)) != nil, "\(name)")
        }
    }

    @Test func sameBytesEachTime() throws {
        let object = try compile(Self.source)
        let first = try trace(object)
        #expect(try trace(object) == first)
        #expect(try trace(object, name: "other").data != first.data)
    }

    @Test func whatLibbpfSaysIsInTheError() throws {
        let object = try compile(
            """
            #define SEC(name) __attribute__((section(name), used))
            SEC("fentry") int nowhere(void *ctx) { return 0; }
            char LICENSE[] SEC("license") = "GPL";
            """)
        let error = #expect(throws: LibBPFError.self) { try trace(object) }
        #expect(error?.step == "generate a loader for")
        #expect(error?.description.contains("nowhere") == true)
        #expect(error?.description.contains("failed to load object") == false)
    }

    @Test func whatIsNoObjectIsRefused() {
        let error = #expect(throws: LibBPFError.self) {
            try trace(ByteView(Array("no ELF file at all, but long enough for a header".utf8)))
        }
        #expect(error?.step == "open" && error?.file == "a.o")
    }

    @Test func versionsOfKernelsArePutIntoKconfig() throws {
        let object = try compile(
            """
            #define SEC(name) __attribute__((section(name), used))
            extern unsigned LINUX_KERNEL_VERSION SEC(".kconfig");
            extern int CONFIG_HZ SEC(".kconfig");
            unsigned seen;
            SEC("raw_tp/sys_enter") int enter(void *ctx) {
                seen = LINUX_KERNEL_VERSION + CONFIG_HZ;
                return 0;
            }
            char LICENSE[] SEC("license") = "GPL";
            """)
        func traced(_ version: UInt32) throws -> LoaderTrace {
            let facts = try BPFObject(object, path: "a.o").hostFacts(
                KernelFacts(file: "c", config: "CONFIG_HZ=250\n", version: version)
            ).get()
            return try LoaderTrace.run(object: object, path: "a.o", name: "k", facts: facts)
        }
        let first = try traced(0x060107)
        let value = try #require(first.maps.first { $0.name == "k.kconfig" }?.initialValue)
        #expect(
            value.firstRange(of: [7, 1, 6, 0]) != nil
                && value.firstRange(of: [250, 0, 0, 0]) != nil)
        #expect(first.data.firstRange(of: value) != nil)
        let second = try traced(0x050a00)
        let places = zip(first.data, second.data).enumerated().filter {
            $0.element.0 != $0.element.1
        }
        #expect(places.count == 3)
        #expect(first.instructions == second.instructions)
    }
}
