// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO

/// kbtf called as `resolve_btfids`: fills in `.BTF_ids`, as the kernel's tool does. From 7.2 on it
/// also derives the kernel's BTF from pahole's.
enum ResolveBTFIDsRole {
    /// Why the work was abandoned.
    struct Refusal: Error {
        let failure: Failure
        /// The exit status.
        var status: Int32 = 255

        init(_ failure: Failure, status: Int32 = 255) {
            self.failure = failure
            self.status = status
        }

        init(_ message: String, hint: String? = nil) { failure = Failure(message, hint: hint) }
    }

    /// - Parameter arguments: the command line without the program.
    /// - Returns: the exit status.
    static func run(_ arguments: ArraySlice<String>, in surroundings: Surroundings) -> Int32 {
        var talk = Talk(surroundings.errors, prefix: "")
        do throws(Refusal) {
            let settings = try ResolveBTFIDsSettings(arguments)
            talk.isVerbose = settings.isVerbose
            try run(settings, surroundings, talk)
            return 0
        } catch {
            talk.say(error.failure)
            if error.status == ResolveBTFIDsSettings.usageStatus {
                for line in ResolveBTFIDsSettings.usage.split(separator: "\n") {
                    talk.note(String(line))
                }
            }
            return error.status
        }
    }

    private static func run(
        _ settings: ResolveBTFIDsSettings, _ surroundings: Surroundings, _ talk: Talk
    ) throws(Refusal) {
        if let blob = settings.patch {
            return try IDPatch(blob: blob, path: settings.path).run()
        }
        surroundings.prepareHeap()
        let base: String?
        do throws(Failure) {
            base = try BaseOverride.base(insteadOf: settings.base, surroundings)
        } catch {
            throw Refusal(error)
        }
        let job = ResolveBTFIDsJob(
            settings: settings, base: base, surroundings: surroundings, talk: talk)
        switch try settings.form(surroundings) {
        case .inPlace: try job.fillInPlace()
        case .beside: try job.writeBeside()
        case .both:
            // The files beside it are derived from the unmodified file.
            try job.writeBeside()
            try job.fillInPlace()
        }
    }
}
