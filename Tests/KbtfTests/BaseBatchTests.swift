// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO
import KernelTree
import Synchronization
import TestSupport
import Testing

@testable import Commands

/// What a batch does with files and bases, whatever the work is.
@Suite struct BaseBatchTests {
    struct File: BatchFile {
        let path: String
        /// Its base; nil: it needs none.
        var base: String? = "base"
        var release: String? = nil
    }

    struct Base: SearchedBase {
        let path: String
        var release: KernelRelease? = nil
        var machine: String? = nil
    }

    struct Opened: BatchContents {
        let keeping: Keeping
    }

    /// What was done, in order.
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        func all(_ prefix: String) -> [String] {
            lines.withLock { $0.filter { $0.hasPrefix(prefix) } }
        }
    }

    private let log = Log()

    private static let surroundings = Surroundings(
        environment: { _ in nil }, variables: { [] }, output: Stream(writer: { _ in }),
        errors: Stream(writer: { _ in }), become: { HostError($0[0], "run", errno: 1) })

    private func batch(jobs: Int = 1, release: String? = nil) -> BaseBatch<Base> {
        let log = log
        return BaseBatch(
            search: SearchPlaces(Self.surroundings), jobs: jobs,
            talk: Talk(Self.surroundings.errors), activity: "testing"
        ) { choice, _ throws(Failure) in
            switch choice {
            case .none: return nil
            case .auto(let release, _): throw Failure("no base for \(release)", hint: "look")
            case .file(let path, _):
                log.add("load \(path)")
                if path == "missing" { throw Failure("\(path): cannot open") }
                return Base(path: path, release: release.flatMap { KernelRelease($0) })
            }
        }
    }

    private func run(
        _ batch: BaseBatch<Base>, _ files: [File], keeping: Keeping = Keeping()
    ) -> [FileOutcome<String>] {
        let log = log
        return batch.run(files, "") { file throws(Failure) in
            log.add("open \(file.path)")
            if file.path == "bad" { throw Failure("bad: damaged") }
            return Opened(keeping: keeping)
        } need: { file, _ throws(Failure) in
            guard let base = file.base else { return .init(choice: .none) }
            let own = file.release.flatMap { KernelRelease($0) }
            guard base == "auto", let own else {
                return .init(
                    choice: .file(base, bigEndian: false), release: own,
                    machine: own == nil ? nil : "x86_64")
            }
            return .init(choice: .auto(own, bigEndian: false), release: own)
        } work: { file, _, setting, outcome throws(Failure) in
            log.add("work \(file.path)")
            if file.path == "fails" { throw Failure("fails: no") }
            outcome.value = setting.base?.path ?? "none"
        }
    }

    private func said(_ outcomes: [FileOutcome<String>]) -> [String] {
        outcomes.flatMap { $0.messages + $0.shared }.map {
            switch $0 {
            case .failure(let failure): failure.message
            case .warning(let text, _): "warning: " + text
            case .note(let text), .detail(let text): text
            }
        }
    }

    @Test(arguments: [1, 4]) func basesAreReadOnce(jobs: Int) {
        let files = (0..<40).map { File(path: "\($0)", base: $0 % 5 == 4 ? nil : "b\($0 % 3)") }
        let outcomes = run(batch(jobs: jobs), files)
        #expect(outcomes.map(\.path) == files.map(\.path))
        #expect(outcomes.map(\.value) == files.map { $0.base ?? "none" })
        #expect(log.all("load").sorted() == ["load b0", "load b1", "load b2"])
    }

    @Test func failures() {
        let files = ["a", "bad", "fails", "b"].map { File(path: $0) }
        let outcomes = run(batch(), files)
        #expect(outcomes.map { $0.failure == nil } == [true, false, false, true])
        #expect(said(outcomes) == ["bad: damaged", "fails: no"])
        #expect(log.all("work").count == 3)
    }

    /// One message for all files, with the first.
    @Test func lackingBase() {
        let files = ["a", "b", "c"].map { File(path: $0, base: "auto", release: "6.1.0-1") }
        var batch = batch()
        batch.countsLacking = true
        var outcomes = run(batch, files)
        #expect(outcomes.allSatisfy { $0.failure?.subject == .base })
        #expect(
            said(outcomes) == [
                "a and 2 more: no base for 6.1.0-1", "3 files cannot be read without this base",
            ])
        batch.lacking = { _, failure in .noBase(.warning(failure.message, hint: nil)) }
        outcomes = run(batch, files)
        #expect(outcomes.map(\.value) == ["none", "none", "none"])
        batch.lacking = { _, failure in .skipping(.warning(failure.message, hint: nil)) }
        outcomes = run(batch, files)
        #expect(outcomes.map(\.value) == ["", "", ""] && outcomes.allSatisfy { $0.failure == nil })
        #expect(outcomes.allSatisfy { $0.alsoSaid.count == 1 })
        #expect(said(run(batch, [File(path: "x", base: "missing")])).count == 1)
    }

    @Test func foreignBase() {
        let files = [
            File(path: "a", release: "6.1.0-1"), File(path: "b", release: "6.1.0-2"),
            File(path: "c", release: "6.1.0-1"), File(path: "fails", release: "6.1.0-1"),
        ]
        var batch = batch(release: "6.1.0-2")
        let warned = run(batch, files)
        #expect(warned.map { $0.foreign != nil } == [true, false, true, true])
        let warnings = said(warned).filter { $0.hasPrefix("warning: ") }
        #expect(warnings.count == 1 && warnings[0].hasPrefix("warning: a and 1 more: for Linux"))
        batch.refusesForeign = true
        let refused = run(batch, files)
        #expect(refused.map { $0.failure == nil } == [false, true, false, false])
        #expect(said(refused).count == 1)
        #expect(said(refused)[0].hasPrefix("a and 2 more: for Linux"))
    }

    /// What took decompressing is kept until it is worked on, as far as there is room; and what
    /// cannot be read again always.
    @Test(arguments: [
        (Keeping(), 2), (Keeping(size: 1000), 1), (Keeping(size: 1 << 40), 2),
        (Keeping(isRequired: true), 1), (Keeping(size: 1 << 40, isRequired: true), 1),
    ]) func opens(keeping: Keeping, times: Int) {
        _ = run(batch(), [File(path: "a"), File(path: "b")], keeping: keeping)
        #expect(log.all("open a").count == times && log.all("open b").count == times)
    }

    /// A single file is opened once, with a base, without one, and if its base cannot be read.
    @Test func oneFile() {
        for file in [File(path: "a"), File(path: "b", base: nil)] {
            #expect(run(batch(), [file]).map(\.value) == [file.base ?? "none"])
            #expect(log.all("open \(file.path)").count == 1)
        }
        #expect(log.all("load") == ["load base"])
        var batch = batch()
        batch.lacking = { _, failure in .noBase(.warning(failure.message, hint: nil)) }
        let outcomes = run(batch, [File(path: "c", base: "missing")])
        #expect(outcomes.map(\.value) == ["none"])
        #expect(log.all("open c").count == 1 && log.all("load missing").count == 1)
    }

    // MARK: Many files

    /// Of many files, those that need the first base are opened once, and those before it are no
    /// obstacle.
    @Test(arguments: [1, 4]) func manyAreOpenedOnce(jobs: Int) {
        let files = ["kernel", "bad"].map { File(path: $0, base: nil) } + modules
        let outcomes = run(batch(jobs: jobs), files)
        #expect(outcomes.map(\.path) == files.map(\.path))
        #expect(outcomes.map(\.value) == ["none", ""] + modules.map { _ in "base" })
        #expect(said(outcomes) == ["bad: damaged"])
        #expect(log.all("load") == ["load base"])
        for file in ["bad"] + modules.dropFirst().map(\.path) {
            #expect(log.all("open \(file)").count == 1)
        }
    }

    /// Also the files by which the base was found, if they cannot be read again.
    @Test func manyPipes() {
        let outcomes = run(batch(), modules, keeping: Keeping(isRequired: true))
        #expect(outcomes.allSatisfy { $0.value == "base" })
        #expect(log.all("open").count == modules.count)
    }

    @Test func manyWithoutBases() {
        let files = modules.map { File(path: $0.path, base: nil) }
        #expect(run(batch(), files).allSatisfy { $0.value == "none" })
        #expect(log.all("load").isEmpty && log.all("work").count == files.count)
    }

    /// A base that cannot be read is tried once, and reported as for a few files.
    @Test func manyLackingABase() {
        let missing = run(batch(), modules.map { File(path: $0.path, base: "missing") })
        #expect(said(missing) == ["missing: cannot open"])
        #expect(missing.allSatisfy { $0.failure?.subject == .base })
        #expect(log.all("load") == ["load missing"] && log.all("work").isEmpty)
        let files = modules.map { File(path: $0.path, base: "auto", release: "6.1.0-1") }
        #expect(said(run(batch(), files)) == ["m00 and 19 more: no base for 6.1.0-1"])
        var batch = batch()
        batch.lacking = { _, failure in .noBase(.warning(failure.message, hint: nil)) }
        let outcomes = run(batch, files)
        #expect(outcomes.allSatisfy { $0.value == "none" && $0.alsoSaid.count == 1 })
    }

    /// Files of another kernel are named in the order of the files, whatever that of the work.
    @Test(arguments: [false, true]) func manyForeign(isRefused: Bool) {
        let files = modules.enumerated().map { index, file in
            File(path: file.path, release: index < 3 ? "6.1.0-2" : "6.1.0-1")
        }
        var batch = batch(jobs: 4, release: "6.1.0-2")
        batch.refusesForeign = isRefused
        let outcomes = run(batch, files)
        let text = said(outcomes)
        #expect(text.count == 1)
        #expect(text[0].hasPrefix((isRefused ? "" : "warning: ") + "m03 and 16 more: for Linux"))
        #expect(outcomes.count { $0.failure != nil } == (isRefused ? 17 : 0))
        #expect(log.all("work").count == (isRefused ? 3 : 20))
    }

    private let modules = (0..<20).map { File(path: $0 < 10 ? "m0\($0)" : "m\($0)") }
}
