// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import BTF
import Bytes
import ELF
import HostIO
import TestSupport

/// Holds the BTF that we say a loader passes on for BPF objects against libbpf's (passed-on.c).
enum PassedOnCommand {
    /// Each line of the list is OBJECT and a file with libbpf's BTF; an empty one where libbpf did
    /// not get that far.
    static func run(_ arguments: inout Arguments) -> Bool? {
        guard let release = arguments.next(), let rules = VerdictRun.rules(release),
            let list = arguments.next()
        else { return nil }
        var (same, neither, differing) = (0, 0, 0)
        do {
            let lines = String(decoding: try FileReader.map(list).array, as: UTF8.self)
            for line in lines.split(separator: "\n") {
                let parts = line.split(separator: " ").map(String.init)
                guard parts.count == 2 else { return nil }
                let theirs = try FileReader.map(parts[1])
                let ours = try passedOn(parts[0], rules)
                if theirs.isEmpty, ours == nil {
                    neither += 1
                } else if let ours, ours.array == theirs.array {
                    same += 1
                } else {
                    differing += 1
                    say("\(parts[0]): \(difference(ours, theirs))\n")
                }
            }
        } catch {
            say("\(error)\n")
            return false
        }
        say(
            "\(same) objects as libbpf passes them on, \(neither) that it refuses, "
                + "\(differing) differ\n")
        return differing == 0 && same > 0
    }

    private static func passedOn(_ path: String, _ rules: TargetRules) throws -> ByteView? {
        let file = try ELFFile(path: path)
        guard let section = file.section(named: ".BTF") else { return nil }
        return btfForKernel(try file.data(of: section), of: file, rules: rules)
    }

    private static func difference(_ ours: ByteView?, _ theirs: ByteView) -> String {
        guard let ours else { return "we say that libbpf refuses it" }
        if theirs.isEmpty { return "libbpf refuses it" }
        let (a, b) = (ours.array, theirs.array)
        let at = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        let sizes = a.count == b.count ? "" : "\(a.count) bytes for \(b.count), "
        guard let at else { return sizes + "the rest is missing" }
        var place = "offset \(at)"
        if let btf = try? BTF.parse(theirs) {
            let word = (at - btf.header.length - btf.header.typeOffset) / 4
            if let index = btf.starts.lastIndex(where: { Int($0) <= word }), word < btf.words.count,
                let record = btf.record(TypeID(UInt32(index + 1)))
            {
                place =
                    "[\(index + 1)] \(record.info.kindWord) "
                    + "\(btf.string(at: record.nameOffset)), word \(word - Int(btf.starts[index]))"
            }
        }
        return sizes + place
    }
}
