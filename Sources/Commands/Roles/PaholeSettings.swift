// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import DWARFToBTF
import HostIO

/// The settings on a pahole command line.
struct PaholeSettings {
    /// Why a command line is refused.
    struct Refusal: Error {
        let failure: Failure
        /// The exit status.
        var status: Int32 = 1
    }

    /// The version of pahole that kbtf replaces.
    static let version = "v1.32"

    /// The text to print instead of encoding (help, version).
    private(set) var answer: String?
    /// Without a feature list, pahole encodes as it did before there were lists: no floats.
    private(set) var features = Features.legacy.subtracting(.float)
    /// Features named individually.
    private(set) var namedFeatures: Features = []
    private(set) var base: String?
    private(set) var detached: String?
    private(set) var jobs = 1
    private(set) var onlyLanguages: Set<UInt64>?
    private(set) var excludedLanguages: Set<UInt64> = []
    private var isQuiet = false
    private var isVerbose = false
    private(set) var files: [String] = []
    /// Unrecognised feature names.
    private(set) var unknownFeatures: [String] = []
    private var encodes = false
    private var hasFeatureList = false

    /// - Parameter arguments: the command line without the program.
    init(_ arguments: ArraySlice<String>) throws(Refusal) {
        var scanner = OptionScanner(arguments, options: PaholeOption.table, order: .anywhere)
        while let item = try PaholeSettings.next(&scanner) {
            switch item {
            case .operand(let file): files.append(file)
            case .option(let option, let value): try take(option, value ?? "")
            }
            if answer != nil { return }
        }
        guard encodes || detached != nil else {
            throw Refusal(
                failure: Failure(
                    "pahole: kbtf only encodes (-J, --btf_encode), it does not print",
                    hint: "kbtf dump FILE prints types; pahole itself is in Debian's package pahole"
                ))
        }
        guard !files.isEmpty else { throw PaholeSettings.usage("no file to encode") }
        guard detached == nil || files.count == 1 else {
            throw PaholeSettings.usage(
                "--btf_encode_detached requires exactly one file, not \(files.count)")
        }
    }

    private static func next(
        _ scanner: inout OptionScanner<PaholeOption>
    ) throws(Refusal) -> OptionScanner<PaholeOption>.Item? {
        do throws(OptionScanner<PaholeOption>.Fault) { return try scanner.next() } catch {
            switch error {
            case .unknown(let option): throw usage("unrecognized option '\(option)'")
            case .ambiguous(let option, let candidates):
                let names = candidates.map { "'\($0)'" }.joined(separator: " ")
                throw usage("option '\(option)' is ambiguous; possibilities: \(names)")
            case .missingValue(let option):
                throw usage("option '\(option)' requires an argument")
            case .unwantedValue(let option):
                throw usage("option '\(option)' doesn't allow an argument")
            }
        }
    }

    /// argp exits with 64.
    private static func usage(_ message: String) -> Refusal {
        Refusal(failure: Failure("pahole: " + message, hint: "pahole --help"), status: 64)
    }

    func talk(_ surroundings: Surroundings) -> Talk {
        Talk(surroundings.errors, isQuiet: isQuiet, isVerbose: isVerbose)
    }

    private mutating func take(_ option: PaholeOption, _ value: String) throws(Refusal) {
        switch option {
        case .help, .usage: answer = PaholeRole.help
        case .version: answer = PaholeSettings.version
        case .numericVersion: answer = PaholeSettings.version.filter(\.isNumber)
        case .supportedFeatures:
            answer = Features.names.map(\.name).joined(separator: ",")
        case .encode: encodes = true
        case .detached: detached = value
        case .base: base = value
        case .jobs: jobs = try PaholeSettings.jobs(value)
        case .quiet: isQuiet = true
        case .verbose: isVerbose = true
        case .formats:
            guard value.split(separator: ",").contains("dwarf") else {
                throw PaholeSettings.usage("-F \(value): only dwarf is supported")
            }
        case .languages: onlyLanguages = try PaholeSettings.languages(value)
        case .excludedLanguages: excludedLanguages = try PaholeSettings.languages(value)
        case .features: try add(value, isStrict: false)
        case .strictFeatures: try add(value, isStrict: true)
        case .floats: name(.float)
        case .optimized: name(.optimizedFunctions)
        case .force: features.insert(.encodeForce)
        case .attributes: name(.attributes)
        case .everything: features.formUnion(Features.named("all") ?? [])
        case .noVariables: features.remove(.variables)
        case .noDeclTags: features.remove(.declTag)
        case .noTypeTags: features.remove(.typeTag)
        case .noEnum64: features.remove(.enum64)
        case .noInconsistent: features.insert(.consistentFunctions)
        case .settled: break
        case .foreign(let name):
            throw Refusal(
                failure: Failure(
                    "pahole: --\(name): kbtf supports only the options for encoding",
                    hint: "pahole itself is in Debian's package pahole"))
        }
    }

    private mutating func name(_ feature: Features) {
        features.insert(feature)
        namedFeatures.insert(feature)
    }

    /// Lists are cumulative; the first one cancels features requested by other options before it. A
    /// leading `+` stands for the default features.
    private mutating func add(_ list: String, isStrict: Bool) throws(Refusal) {
        if !hasFeatureList { (features, namedFeatures) = ([], []) }
        hasFeatureList = true
        var names = list[...]
        if names.first == "+" {
            names = names.dropFirst()
            features.formUnion(.standard)
        }
        for name in names.split(separator: ",") {
            if let feature = Features.named(name) {
                features.formUnion(feature)
                namedFeatures.formUnion(Features.named(in: String(name)))
            } else if isStrict {
                throw Refusal(
                    failure: Failure(
                        "pahole: --btf_features_strict: unknown feature '\(name)'; known are "
                            + Features.names.map(\.name).joined(separator: ",")))
            } else {
                unknownFeatures.append(String(name))
            }
        }
    }

    /// More threads than processors are useless. Without a number, all processors.
    private static func jobs(_ text: String) throws(Refusal) -> Int {
        if text.isEmpty { return onlineProcessorCount }
        guard let count = Int(text), count >= 0 else {
            throw usage("-j requires a number, not '\(text)'")
        }
        return count == 0 ? onlineProcessorCount : min(count, onlineProcessorCount)
    }

    private static func languages(_ list: String) throws(Refusal) -> Set<UInt64> {
        let (codes, unknown) = Language.parse(list)
        guard let unknown else { return codes }
        throw Refusal(failure: Failure("pahole: unknown language \"\(unknown)\""))
    }
}
