// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import DWARFToBTF
import HostIO

/// kbtf called `pahole`, as kernel builds call it: `-J` and what belongs to it.
///
/// Exit status, as pahole 1.32: 0 done, also for a file without debug information, which is left as it
/// is; 1 failed; 64 a command line that cannot be read.
enum PaholeRole {
    static let help = """
        Usage: pahole -J [OPTION...] FILE...

        kbtf in the place of pahole, for kernel builds: make PAHOLE=.../pahole. Puts BTF made from
        DWARF into each FILE.

          -J, --btf_encode                 encode BTF
              --btf_encode_detached=OUT    write raw BTF to OUT; FILE stays untouched
              --btf_base=FILE              make split BTF on this base
              --btf_features=LIST          what to encode, a comma list; lists add up, +LIST adds to the
                                           default, unknown names are left out with a warning
              --btf_features_strict=LIST   the same, but unknown names are errors
              --supported_btf_features     print all features
              --lang=LIST, --lang_exclude=LIST
                                           take only, or leave out, units in these languages
          -j, --jobs[=N]                   use N threads; all processors without N
              --btf_encode_force, --btf_gen_floats, --btf_gen_optimized, --btf_gen_all,
              --btf_attributes, --skip_encoding_btf_vars, --skip_encoding_btf_enum64,
              --skip_encoding_btf_decl_tag, --skip_encoding_btf_type_tag,
              --skip_encoding_btf_inconsistent_proto
                                           what to encode, as before there were lists
          -V, --verbose                    say what is done
          -q, --quiet                      say nothing but errors
              --version, --numeric_version print pahole's version that this stands for

        The variables BTF_BASE (empty: standalone BTF) and KBTF_BASE take the place of --btf_base's FILE.
        With KBTF_STRICT=1 warnings, such as of a base of another kernel, are errors.

        Examples:
          make PAHOLE=/usr/local/libexec/kbtf/pahole M=$PWD modules
          pahole -J --btf_features=default --btf_base vmlinux foo.ko
        """

    /// - Parameter arguments: the command line without the program.
    /// - Returns: the exit status.
    static func run(_ arguments: ArraySlice<String>, in surroundings: Surroundings) -> Int32 {
        let settings: PaholeSettings
        do throws(PaholeSettings.Refusal) { settings = try PaholeSettings(arguments) } catch {
            Talk(surroundings.errors).say(error.failure)
            return error.status
        }
        let talk = settings.talk(surroundings)
        do throws(Failure) {
            if let answer = settings.answer {
                try surroundings.output.print(answer + "\n")
                return 0
            }
            return try encode(settings, surroundings, talk)
        } catch {
            talk.say(error)
            return 1
        }
    }

    private static func encode(
        _ settings: PaholeSettings, _ surroundings: Surroundings, _ talk: Talk
    ) throws(Failure) -> Int32 {
        surroundings.prepareHeap()
        if !settings.unknownFeatures.isEmpty {
            talk.note(
                "pahole: features that are not known are left out: "
                    + settings.unknownFeatures.joined(separator: ","))
        }
        let base = try BaseOverride.base(insteadOf: settings.base, surroundings)
        var options = EncodeOptions()
        options.features = settings.features
        options.onlyLanguages = settings.onlyLanguages
        options.excludedLanguages = settings.excludedLanguages
        var request = FeatureRequest(
            features: settings.features, named: settings.namedFeatures, isLenient: true)
        if base == nil, options.features.contains(.distilledBase) {
            talk.detail("pahole: distilled_base: no base, so none is distilled")
            options.features.remove(.distilledBase)
            request.features.remove(.distilledBase)
            request.named.remove(.distilledBase)
        }
        var batch = EncodeBatch(
            base: base ?? "", search: SearchPlaces(surroundings), options: options,
            jobs: settings.jobs,
            request: request, talk: talk)
        batch.isStrict = surroundings.isStrict
        let destinations = Destinations(file: settings.detached, folder: nil)
        let outcomes = batch.run(try destinations.assign(settings.files))

        for outcome in outcomes {
            for message in outcome.messages + outcome.shared {
                talk.say(asPahole(message, base: base))
            }
        }
        return outcomes.contains { $0.failure.map { $0.subject != .debugInfo } ?? false } ? 1 : 0
    }

    private static func asPahole(_ message: Talk.Message, base: String?) -> Talk.Message {
        guard case .failure(let failure) = message else { return message }
        switch failure.subject {
        case .file: return message
        case .debugInfo: return .note(failure.message + "; no BTF is made")
        case .base:
            return .failure(
                failure.reworded("Failed to parse base BTF '\(base ?? "")': \(failure.message)"))
        }
    }
}
