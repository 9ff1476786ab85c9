// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import ELF
import HostIO
import KernelTree

/// Asks kernels: boots them with the modules, by `kbtf vm run`.
///
/// Modules share a guest. One that got no answer there, because the kernel did not survive another
/// one or something could not be prepared, gets a guest of its own.
struct MatrixProver {
    private let program: String
    private let surroundings: Surroundings
    private let talk: Talk
    /// QEMU, or this machine, failed for some guest.
    private(set) var hasMachineryFailure = false

    /// - Throws: without kbtf-vm.
    init(_ surroundings: Surroundings, _ talk: Talk) throws(Failure) {
        program = try VM.program(surroundings)
        self.surroundings = surroundings
        self.talk = talk
    }

    /// Proves the doubtful cells of a kernel, or all of them.
    mutating func prove(
        _ cells: inout [MatrixCell], on kernel: MatrixKernels.Named, all: Bool
    ) {
        let chosen = cells.indices.filter {
            cells[$0].unread == nil && (all || !cells[$0].doubts.isEmpty)
        }
        guard !chosen.isEmpty else { return }
        guard let image = kernel.bootable else {
            for index in chosen { cells[index].proof = .failed("no image to boot") }
            return
        }
        talk.note("\(kernel.name): booting, to prove \(chosen.count) of \(cells.count) cells")
        let plain = answers(chosen.map { cells[$0].module }, image, rebasing: false)
        let saved = chosen.filter { cells[$0].rebaseHelps }
        let rebased = answers(saved.map { cells[$0].module }, image, rebasing: true)
        for (index, result) in zip(chosen, plain) {
            switch (result, saved.firstIndex(of: index).map { rebased[$0] }) {
            case (.failure(let failure), _), (_, .failure(let failure)?):
                cells[index].proof = .failed(failure.message)
            case (.success(let answer), nil):
                cells[index].proof = .answered(answer, rebased: nil)
            case (.success(let answer), .success(let after)?):
                cells[index].proof = .answered(answer, rebased: after)
            }
            if case .answered(let answer, _) = cells[index].proof, answer.verdict == .initFailed,
                cells[index].trouble == nil
            {
                cells[index].proof = .failed("its init function failed: \(answer.word)")
            }
        }
    }

    /// The answers to modules in one guest, and in one each for those that got none.
    private mutating func answers(
        _ modules: [String], _ image: String, rebasing: Bool
    ) -> [Result<ModuleAnswer, Failure>] {
        let names = modules.map { MatrixProver.name(of: $0) }
        var results = [Result<ModuleAnswer, Failure>?](repeating: nil, count: modules.count)
        /// The kernel does not boot, whatever the module.
        var noBoot: Failure?
        let shared = modules.indices.filter { index in
            // The first with its name.
            names[index] != nil && names.firstIndex(of: names[index]) == index
        }
        if shared.count > 1,
            case .success(let run) = guest(shared.map { modules[$0] }, image, rebasing)
        {
            noBoot = MatrixProver.noBoot(run)
            for index in shared {
                results[index] = names[index].flatMap { ModuleAnswer($0, in: run) }.map {
                    .success($0)
                }
            }
        }
        for index in modules.indices where results[index] == nil {
            guard let name = names[index] else {
                results[index] = .failure(Failure("not a module that can be read"))
                continue
            }
            if let noBoot {
                results[index] = .failure(noBoot)
                continue
            }
            results[index] = guest([modules[index]], image, rebasing).flatMap { run in
                let outcome = run["outcome"]?.string ?? "machinery"
                let reason = run["reason"]?.string ?? ""
                if let answer = ModuleAnswer(name, in: run) { return .success(answer) }
                if let failure = MatrixProver.noBoot(run) { return .failure(failure) }
                return .success(
                    ModuleAnswer(
                        outcome: outcome, reason: reason,
                        evidence: (run["evidence"]?.array ?? []).compactMap(\.string)))
            }
        }
        return results.map { $0 ?? .failure(Failure("no answer")) }
    }

    /// Why a kernel could not be asked; nil if it ran.
    private static func noBoot(_ run: JSONTree) -> Failure? {
        let outcome = run["outcome"]?.string ?? "machinery"
        // Whatever it died of before its init reported a plan, no module was loaded yet.
        let hasStarted = run["plan"].map { $0 != .null } ?? true
        guard !hasStarted || ["machinery", "no boot", "no init"].contains(outcome) else {
            return nil
        }
        return Failure("\(outcome): \(run["reason"]?.string ?? "")")
    }

    /// One guest; the object that describes its run.
    private mutating func guest(
        _ modules: [String], _ image: String, _ rebasing: Bool
    ) -> Result<JSONTree, Failure> {
        var words = [program, "run", "--json", "--any-kernel", "--kernel", image]
        // Of no use is an answer that a busy machine did not give in time.
        words += ["--boot-timeout", "900", "--timeout", "1800"]
        if rebasing { words.append("--rebase") }
        words += modules.flatMap { ["--module=" + $0] }
        let output: ProgramOutput.Ending
        do throws(HostError) {
            // The limits are those of the guest, which ends with this process.
            output = try ProgramOutput.ending(
                words, surroundings, seconds: nil, leash: [program, "--leash"])
        } catch { return .failure(Failure(error)) }
        if output.status == 69 { hasMachineryFailure = true }
        guard let report = try? JSONTree(ByteView(output.bytes)) else {
            let said = String(decoding: output.errors, as: UTF8.self).split(separator: "\n").first
            return .failure(Failure(said.map(String.init) ?? "kbtf-vm printed no report"))
        }
        if let run = report["runs"]?.array?.first { return .success(run) }
        return .failure(Failure(report["error"]?.string ?? "kbtf-vm reported no run"))
    }

    /// Its name in the kernel; nil if that cannot be read.
    private static func name(of path: String) -> String? {
        guard let view = try? PackedFile.read(path), let elf = try? openELF(view, path),
            let info = Modinfo(elf)
        else { return nil }
        return info["name"].map { ModuleName.canonical($0) } ?? ModuleName.ofFile(path)
    }
}
