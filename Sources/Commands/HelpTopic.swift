// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Console
import DWARFToBTF

/// A topic of `kbtf help` other than a command.
enum HelpTopic: String, CaseIterable {
    case features, releases

    var abstract: String {
        switch self {
        case .features: "what --features and --btf_features select"
        case .releases: "what each kernel release accepts as BTF"
        }
    }

    var text: String {
        switch self {
        case .features: HelpTopic.featureTable
        case .releases: HelpTopic.releaseTable
        }
    }

    /// The names, for messages.
    static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }

    private static var featureTable: String {
        var table = Table(headings: ["FEATURE", "DEFAULT", "KERNEL", "MEANING"])
        for (name, feature, meaning) in Features.names {
            let isDefault = !feature.isEmpty && Features.standard.isSuperset(of: feature)
            table.add([
                name, isDefault ? "yes" : "-", feature.ability.map { "\($0.since)" } ?? "-",
                meaning,
            ])
        }
        return """
            Features of 'kbtf encode --features LIST' and 'pahole --btf_features=LIST': names \
            separated by commas, 'default' (those marked here) or 'all'.

            \(table.text)
            KERNEL is the first release that accepts the feature. For older kernels it is not part of \
            'default' and 'all', and naming it is an error; see 'kbtf help releases'.

            """
    }

    private static var releaseTable: String {
        var table = Table(headings: ["SINCE", "KERNELS ACCEPT", "BEFORE THAT"])
        table.add(["\(TargetRules.oldest)", "VAR, DATASEC", "not a target"])
        for ability in KernelAbility.allCases {
            table.add(["\(ability.since)", ability.meaning, ability.substitute])
        }
        return """
            What kernels accept as BTF, by release. 'kbtf encode --target RELEASE' writes BTF for that kernel, and \
            'kbtf check --target RELEASE' checks BTF against its rules.

            \(table.text)
            These are mainline releases; a distribution's backports are read from its kernel's BTF. For a release newer \
            than \(TargetRules.newest), the rules are those of \(TargetRules.newest).

            """
    }
}

/// `kbtf help TOPIC`.
struct TopicHelp: Command {
    static let configuration = CommandConfiguration(
        commandName: "help", abstract: "Show the help of a command, or of a topic.")

    @Argument(help: ArgumentHelp("A topic.", valueName: "TOPIC"))
    var topic: String

    func run(in surroundings: Surroundings) throws {
        guard let topic = HelpTopic(rawValue: topic) else { throw NoSuchTopic(word: topic) }
        try surroundings.output.print(topic.text)
    }
}

/// `kbtf help WORD`, with a word that is neither a command nor a topic.
struct NoSuchTopic: Error {
    let word: String

    var failure: Failure {
        Failure(
            "help: no such command or topic: \(word); the topics are \(HelpTopic.list)",
            hint: "kbtf --help")
    }
}
