// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a command line of bpftool asks for.
enum BpftoolCommand: Equatable {
    case version
    case help
    /// The same in kbtf's words.
    case kbtf([String])
    /// The header of `gen skeleton`. Builds ask for many, and reading kbtf's own words takes longer
    /// than writing one.
    case skeleton(SkeletonHeader, isVerbose: Bool)
    /// The source of a module around a header, on standard output.
    case module(header: String)

    /// One of `gen`.
    var isGenerator: Bool {
        switch self {
        case .version, .help: false
        case .kbtf(let words): words.first == "gen"
        case .skeleton, .module: true
        }
    }
}

/// A command line of bpftool.
struct BpftoolCommandLine {
    let command: BpftoolCommand
    let json: BpftoolJSON?
    /// Base BTF, which bpftool reads before all else.
    let base: String?

    /// With JSON, bpftool ends what `gen` prints with a newline more.
    var ending: String { json != nil && command.isGenerator ? "\n" : "" }

    private enum Key {
        case json, pretty, debug, version, help, loader, preload, base
        /// One that concerns no command here.
        case unneeded
        /// One that changes what commands do, and no command here can do that.
        case other(String)
    }

    private static let options: [OptionScanner<Key>.Option] = [
        .init(key: .json, long: "json", short: "j"),
        .init(key: .pretty, long: "pretty", short: "p"),
        .init(key: .debug, long: "debug", short: "d"),
        .init(key: .version, long: "version", short: "V"),
        .init(key: .help, long: "help", short: "h"),
        .init(key: .loader, long: "use-loader", short: "L"),
        .init(key: .preload, long: "preload", short: "P"),
        .init(key: .base, long: "base-btf", short: "B", argument: .required),
        .init(key: .other("--sign"), long: "sign", short: "S"),
        .init(key: .other("-k"), long: nil, short: "k", argument: .required),
        .init(key: .other("-i"), long: nil, short: "i", argument: .required),
        .init(key: .unneeded, long: "bpffs", short: "f"),
        .init(key: .other("--legacy"), long: "legacy", short: "l"),
        .init(key: .unneeded, long: "mapcompat", short: "m"),
        .init(key: .unneeded, long: "nomount", short: "n"),
    ]

    /// - Parameter arguments: the command line without the program.
    /// - Throws: if bpftool would refuse it, or kbtf has no such command.
    init(_ arguments: ArraySlice<String>) throws(BpftoolRole.Refusal) {
        var words = BpftoolWords()
        var json: BpftoolJSON?
        var asksVersion = false
        var asksHelp = false
        var scanner = OptionScanner(arguments, options: Self.options, order: .anywhere)
        do throws(OptionScanner<Key>.Fault) {
            // Nothing behind `-h` is looked at.
            while !asksHelp, let item = try scanner.next() {
                switch item {
                case .operand(let word): words.words.append(word)
                case .option(.json, _): json = json ?? .compact
                case .option(.pretty, _): json = .pretty
                case .option(.debug, _): words.isVerbose = true
                case .option(.version, _): asksVersion = true
                case .option(.help, _): asksHelp = true
                case .option(.loader, _): words.usesLoader = true
                case .option(.preload, _): words.preloads = true
                case .option(.base, let base): words.base = base
                case .option(.other(let name), _): words.unusable = name
                case .option(.unneeded, _): break
                }
            }
        } catch { throw Self.refusal(error).printed(as: json) }
        self.json = json
        base = asksHelp ? nil : words.base
        words.isJSON = json != nil
        do throws(BpftoolRole.Refusal) {
            command = asksHelp ? .help : asksVersion ? .version : try words.command()
        } catch { throw error.printed(as: json) }
    }

    private static func refusal(_ fault: OptionScanner<Key>.Fault) -> BpftoolRole.Refusal {
        switch fault {
        case .unknown(let option): .init(message: "\(option): no such option")
        case .ambiguous(let option, let candidates):
            .init(message: "\(option) may be \(candidates.joined(separator: " or "))")
        case .missingValue(let option): .init(message: "\(option) needs a value")
        case .unwantedValue(let option): .init(message: "\(option) takes no value")
        }
    }
}
