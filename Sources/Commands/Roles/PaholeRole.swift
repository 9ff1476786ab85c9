// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import DWARFToBTF
import HostIO

/// kbtf called as `pahole`, as kernel builds do: `-J` and its options.
///
/// Exit status, as in pahole 1.32: 0 for success, also for a file without debug information, which
/// is left unchanged; 1 for failure; 64 for a wrong command line.
enum PaholeRole {
    static let help = """
        Usage: pahole -J [OPTION...] FILE...

        kbtf as a replacement for pahole in kernel builds: make PAHOLE=.../pahole. Generates BTF from
        DWARF and writes it to each FILE.

          -J, --btf_encode                 encode BTF
              --btf_encode_detached=OUT    write raw BTF to OUT; FILE is not modified
              --btf_base=FILE              generate split BTF on this base
              --btf_features=LIST          what to encode, comma-separated; lists are cumulative, +LIST adds
                                           to the default, unknown names are ignored with a warning
              --btf_features_strict=LIST   the same, but unknown names are errors
              --supported_btf_features     print all features
              --lang=LIST, --lang_exclude=LIST
                                           read only, or leave out, units in these languages
          -j, --jobs[=N]                   use N threads; all processors without N
              --btf_encode_force, --btf_gen_floats, --btf_gen_optimized, --btf_gen_all,
              --btf_attributes, --skip_encoding_btf_vars, --skip_encoding_btf_enum64,
              --skip_encoding_btf_decl_tag, --skip_encoding_btf_type_tag,
              --skip_encoding_btf_inconsistent_proto
                                           what to encode, in the style before feature lists
          -V, --verbose                    report what is done
          -q, --quiet                      print errors only
              --version, --numeric_version print the version of pahole that this replaces

        The variables BTF_BASE (empty: standalone BTF) and KBTF_BASE override the FILE of --btf_base.
        With KBTF_STRICT=1 warnings, such as about a base of another kernel, are errors.

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
                "pahole: unknown features are ignored: "
                    + settings.unknownFeatures.joined(separator: ","))
        }
        let base = try BaseOverride.base(insteadOf: settings.base, surroundings)
        var options = EncodeOptions()
        options.features = settings.features
        // resolve_btfids --inline separates them.
        options.joinsSites = true
        options.onlyLanguages = settings.onlyLanguages
        options.excludedLanguages = settings.excludedLanguages
        var request = FeatureRequest(
            features: settings.features, named: settings.namedFeatures, isLenient: true)
        if base == nil, options.features.contains(.distilledBase) {
            talk.detail("pahole: distilled_base: no base, so nothing is distilled")
            options.features.remove(.distilledBase)
            request.features.remove(.distilledBase)
            request.named.remove(.distilledBase)
        }
        var batch = EncodeBatch(
            base: base ?? "", search: SearchPlaces(surroundings), options: options,
            jobs: settings.jobs,
            request: request, talk: talk)
        batch.isStrict = surroundings.isStrict
        batch.marks = BaseOverride.isChosen(insteadOf: settings.base, surroundings)
        let destinations = Destinations(
            file: settings.detached, folder: nil, reads: base.map { [$0] } ?? [],
            fileOption: "--btf_encode_detached")
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
        case .debugInfo: return .note(failure.message + "; no BTF is generated")
        case .base:
            return .failure(
                failure.reworded("Failed to parse base BTF '\(base ?? "")': \(failure.message)"))
        }
    }
}
