// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import TestSupport
import Testing

@testable import Skeleton

@Suite("manifest of a module")
struct ModuleManifestTests {
    private static let whole = ModuleManifest(
        name: "guard", module: "bpf-guard", mode: .stayLinks, object: "guard.bpf.o",
        options: ["--mode", "stay", "--name", "a\tb\\c\n"],
        published: [.init(program: "list_maps", file: "maps.debug")],
        programs: [
            .init(
                identifier: "guard_mount", type: 29, expectedAttachType: 27, link: .tracing,
                section: "lsm/sb_set_mnt_opts", helpers: [14, 147]),
            .init(
                identifier: "list_maps", type: 26, expectedAttachType: 28, link: .iterator,
                section: "\u{301}iter/bpf\u{1}map"),
            .init(
                identifier: "report_end", type: 17, expectedAttachType: 0, link: .rawTracepoint,
                section: "raw_tp/sched_process_exit"),
        ],
        maps: [
            .init(
                kernelName: "marks",
                values: MapValues(
                    type: 28, keySize: 4, valueSize: 16, maxEntries: 0, flags: 1,
                    isInternal: false)),
            .init(
                kernelName: "guard.bss",
                values: MapValues(
                    type: 2, keySize: 4, valueSize: 24, maxEntries: 1,
                    flags: 1024, isInternal: true)),
        ])

    @Test("what was written is read again, with any bytes in options and sections")
    func roundTrip() throws {
        #expect(try ModuleManifest(parsing: Self.whole.text) == Self.whole)
    }

    @Test("for people: lines, tabs, and what they mean")
    func text() {
        let lines = Self.whole.text.split(separator: "\n")
        #expect(lines.contains("program\tguard_mount\t29\t27\ttracing\tlsm/sb_set_mnt_opts"))
        #expect(lines.contains("map\tguard.bss\t2\t4\t24\t1\t1024\tinternal"))
        #expect(lines.contains("helpers\tguard_mount\t14 147"))
        #expect(lines.contains("mode\tstay-links"))
        #expect(lines.contains("option\ta\\x09b\\x5cc\\x0a"))
    }

    @Test(
        "an error names its line",
        arguments: [
            ("", "empty"),
            ("name\tx", "line 1: not a manifest that this kbtf reads"),
            ("format\tkbtf-module 1", "line 1: not a manifest that this kbtf reads"),
            ("#\nformat\tkbtf-module 2\n", "no name"),
        ])
    func unreadable(_ text: String, _ message: String) {
        #expect(error(of: text) == message)
    }

    @Test(
        "each value is checked",
        arguments: [
            ("name\t9lives", "line 4: 9lives: not a name of C"),
            ("module\t../x", "line 4: ../x: not a name of a module"),
            (
                "mode\tmaybe",
                "line 4: mode: maybe: one of attach, stay-links, stay-module, preload expected"
            ),
            (
                "object\t../../etc/passwd",
                "line 4: ../../etc/passwd: not the name of a file in this directory"
            ),
            ("object\t.hidden", "line 4: .hidden: not the name of a file in this directory"),
            ("object\ta b", "line 4: a b: not the name of a file in this directory"),
            ("object\ta$(b)", "line 4: a$(b): not the name of a file in this directory"),
            ("program\tp\t29", "line 4: program: 3 values expected, found 2"),
            ("program\tp\t-1\t0\ttracing\ts", "line 4: -1: not a number of 32 bits"),
            (
                "program\tp\t4294967296\t0\ttracing\ts",
                "line 4: 4294967296: not a number of 32 bits"
            ),
            (
                "program\tp\t1\t0\tglue\ts",
                "line 4: program: glue: one of raw_tracepoint, tracing, iterator, none expected"
            ),
            (
                "map\tsixteen_letters_\t1\t1\t1\t1\t1\tinternal",
                "line 4: sixteen_letters_: not a name that the kernel takes"
            ),
            ("map\tm\t1\t1\t1\t1\t1\tperhaps", "line 4: perhaps: internal or declared expected"),
            ("option\ta\\q", "line 4: a backslash stands before x and two digits"),
            ("option\ta\\x1", "line 4: a backslash stands before x and two digits"),
            ("option\ta\\", "line 4: a backslash stands before x and two digits"),
            ("colour\tgreen", "line 4: unknown keyword colour"),
            ("name\ta\nname\tb", "line 5: a second name"),
            (
                "program\tp\t1\t0\ttracing\ts\nprogram\tp\t1\t0\ttracing\ts",
                "line 5: a second program p"
            ),
            ("name\tn\nmode\tattach", "no module"),
            ("name\tn\nmodule\tm", "no mode"),
            ("module\tm\nmode\tattach", "no name"),
            (
                "name\tn\nmodule\tm\nmode\tattach\nprogram\tp\t1\t0\ttracing\ts\npublished\tp\tf",
                "published p: no iterator with that name"
            ),
        ])
    func values(_ lines: String, _ message: String) {
        #expect(error(of: "# one\n\nformat\tkbtf-module 2\n" + lines + "\n") == message)
    }

    private func error(of text: String) -> String? {
        do throws(ManifestError) {
            _ = try ModuleManifest(parsing: text)
            return nil
        } catch { return error.description }
    }

    @Test("of a skeleton: what is loaded, with links only where the module makes them")
    func ofSkeleton() {
        let skeleton = LightSkeleton(
            name: "o",
            maps: [
                .init(
                    identifier: "bss", kernelName: "o.bss",
                    values: MapValues(
                        type: 2, keySize: 4, valueSize: 8,
                        maxEntries: 1, flags: 1024, isInternal: true))
            ],
            programs: [
                .init(
                    identifier: "a", type: 17, expectedAttachType: 0, section: "raw_tp/x",
                    attachment: .rawTracepoint("x")),
                .init(
                    identifier: "b", type: 8, expectedAttachType: 0, section: "cgroup_skb/ingress",
                    attachment: .link(.cgroup)),
                .init(
                    identifier: "c", type: 26, expectedAttachType: 28, section: "iter/task",
                    attachment: .iterator),
                .init(
                    identifier: "d", type: 26, expectedAttachType: 24, section: "?fentry/x",
                    attachment: .none(reason: "not loaded"), isLoaded: false),
            ],
            data: [], instructions: [], byteOrder: .little)
        let manifest = ModuleManifest(
            of: skeleton, module: "m", mode: .preload, object: nil, options: [], unattached: ["c"])
        #expect(manifest.programs.map(\.link) == [.rawTracepoint, .none, .none])
        #expect(manifest.maps.map(\.kernelName) == ["o.bss"])
        #expect(manifest.name == "o")
        #expect(manifest.module == "m")
    }

    @Test("damaged text is refused, or says something that is written and read as the same")
    func damage() throws {
        var random = SeededRandom(seed: 11)
        let whole = Array(Self.whole.text.utf8)
        var refused = 0
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: place)
                case 2: bytes.removeSubrange(place...)
                default: bytes.insert(bytes[whole.count % bytes.count], at: place)
                }
                if bytes.isEmpty { bytes = [10] }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do throws(ManifestError) {
                let read = try ModuleManifest(parsing: text)
                #expect(try ModuleManifest(parsing: read.text) == read)
            } catch { refused += 1 }
        }
        #expect((500..<2000).contains(refused))
    }
}
