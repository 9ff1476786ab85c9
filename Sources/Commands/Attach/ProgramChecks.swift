// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Attaching
import BPFObject
import BTF
import Bytes
import Console
import ELF
import KernelTree

/// `kbtf check --attach`: programs of objects against a kernel, a module, or another object.
struct ProgramChecks {
    /// A kernel, a module, or an object with programs to replace.
    let kernel: String
    /// `--base`: the kernel of a module.
    let base: String?
    let json: Bool
    let places: SearchPlaces
    let talk: Talk
    let paint: Paint

    private struct Checked {
        let path: String
        var programs: [ProgramReport] = []
        var failure: Failure?
    }

    func run(_ files: [String], _ output: Stream) throws {
        let check = try against()
        var results: [Checked] = []
        for path in files {
            do throws(Failure) {
                results.append(Checked(path: path, programs: check(try open(path))))
            } catch {
                talk.say(error)
                results.append(Checked(path: path, failure: error))
            }
        }
        if json {
            try output.report { json in
                json.field("against", kernel)
                json.array("files", results, onLines: true) { write($1, to: &$0) }
            }
        } else if !talk.isQuiet {
            try output.print(results.map(text).joined())
        }
        if results.contains(where: { $0.failure != nil || $0.programs.contains(where: \.hasErrors) }
        ) {
            throw ExitCode(1)
        }
    }

    private func open(_ path: String) throws(Failure) -> BPFObject {
        let view = try PackedFile.read(path)
        do throws(BPFObjectError) { return try BPFObject(view, path: path) } catch {
            throw Failure(error)
        }
    }

    /// What checks an object.
    private func against() throws(Failure) -> (BPFObject) -> [ProgramReport] {
        let file = try RereadableFile(kernel)
        if let target = try BPFObject.inFile(file.path) {
            let version = places.release?.kernelVersion
            return { ReplacementCheck($0, of: target, version: version).reports() }
        }
        guard let view = try? PackedFile.read(file.path), ELFFile.isELF(view),
            let elf = try? ELFFile(view, path: file.path), elf.type == ELFType.relocatable
        else {
            let judge = judges(
                try AttachSubject.find(
                    target: file.path, option: "--attach", module: nil, symbols: nil, places, talk))
            return { ProgramCheck($0, [judge]).reports() }
        }
        let module = try AttachSubject.find(
            target: base, option: "--base", module: file.path, symbols: nil, places, talk)
        let whole = try AttachSubject.find(
            target: module.kernelPath, module: nil, symbols: module.symbolsPath, places, talk)
        let both = [judges(whole), judges(module)]
        return { ProgramCheck($0, both).reports() }
    }

    private func judges(
        _ subject: AttachSubject
    ) -> (awake: AttachJudge, asleep: AttachJudge) {
        func judge(_ isSleepable: Bool) -> AttachJudge {
            AttachJudge(
                subject.btf, subject.facts, kernel: subject.kernel, version: subject.version,
                machine: subject.machine, isSleepable: isSleepable)
        }
        return (judge(false), judge(true))
    }

    // MARK: Output

    private func text(_ result: Checked) -> String {
        result.programs.map { program in
            let head = "\(result.path): \(program.name) (\(program.section)): ".shown
            let lines = program.findings.map { finding in
                let place = finding.offset.map { "+0x\(String($0, radix: 16)): " } ?? ""
                let word = finding.severity.rawValue
                return head + place + (finding.severity == .error ? paint.bad(word) : word)
                    + ": \(finding.message.shown)\n"
            }
            return lines.isEmpty ? head + paint.good("ok") + "\n" : lines.joined()
        }.joined()
    }

    private func write(_ result: Checked, to json: inout JSONWriter) {
        json.object { json in
            json.field("file", result.path)
            if let failure = result.failure { failure.write(to: &json) }
            json.array("programs", result.programs, onLines: true) { json, program in
                json.object { json in
                    json.field("name", program.name)
                    json.field("section", program.section)
                    json.field("program", program.way?.rawValue)
                    json.field("target", program.target)
                    json.field("ok", !program.hasErrors)
                    json.array("findings", program.findings) { json, finding in
                        json.object { json in
                            json.field("severity", finding.severity.rawValue)
                            json.field("offset", finding.offset)
                            json.field("message", finding.message)
                        }
                    }
                }
            }
        }
    }
}
