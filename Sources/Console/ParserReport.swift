// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ArgumentParser

extension ParsableCommand {
    /// Reports what ArgumentParser threw: the requested text (help, version) on standard output, or
    /// what is wrong with the command line on standard error.
    ///
    /// - Parameters:
    ///   - arguments: the command line behind `start`.
    ///   - start: the words by which users call this command.
    ///   - edit: changes the requested text.
    /// - Returns: the exit status.
    package static func report(
        parserError error: any Error, _ arguments: ArraySlice<String>, after start: [String],
        in surroundings: Surroundings, _ talk: Talk, edit: (String) -> String = { $0 }
    ) -> Int32 {
        guard exitCode(for: error) != .success else {
            do throws(Failure) {
                try surroundings.output.print(edit(fullMessage(for: error)) + "\n")
            } catch {
                talk.say(error)
                return 1
            }
            return 0
        }
        let (names, command) = commands(in: arguments)
        let words = start + names
        talk.say(
            noSuchCommand(arguments.dropFirst(names.count).first, of: command, words)
                ?? Failure(
                    usageMessage(message(for: error), arguments),
                    hint: "\(words.joined(separator: " ")) --help"))
        return 2
    }

    /// The leading words of `arguments` that name a command, and the command.
    private static func commands(
        in arguments: ArraySlice<String>
    ) -> (names: [String], command: any ParsableCommand.Type) {
        var names: [String] = []
        var command: any ParsableCommand.Type = self
        for word in arguments {
            guard
                let next = command.configuration.subcommands.first(where: {
                    $0.configuration.commandName == word
                })
            else { break }
            names.append(word)
            command = next
        }
        return (names, command)
    }
}

/// The error for an unknown word in place of a command; nil if that is not what is wrong.
///
/// - Parameters:
///   - word: the one behind `start`.
///   - command: the one that `start` calls.
private func noSuchCommand(
    _ word: String?, of command: any ParsableCommand.Type, _ start: [String]
) -> Failure? {
    let known = command.configuration.subcommands.compactMap { $0.configuration.commandName }
    guard !known.isEmpty, let word, !word.hasPrefix("-"), word != "help" else { return nil }
    let near = known.map { (distance: distance($0, word), name: $0) }
        .filter { $0.distance <= max(1, word.count / 3) }
        .min { $0.distance < $1.distance }
    let words = start.joined(separator: " ")
    return Failure(
        start.dropFirst().map { $0 + ": " }.joined() + "no such command: \(word)",
        hint: near.map { "\(words) \($0.name)" } ?? "\(words) --help")
}

/// The number of letters to insert, remove or change to turn one word into the other.
private func distance(_ one: String, _ other: String) -> Int {
    let (one, other) = (Array(one.utf8.prefix(64)), Array(other.utf8.prefix(64)))
    var row = Array(0...other.count)
    for (index, letter) in one.enumerated() {
        var corner = row[0]
        row[0] = index + 1
        for (column, otherLetter) in other.enumerated() {
            let changed = corner + (letter == otherLetter ? 0 : 1)
            corner = row[column + 1]
            row[column + 1] = min(changed, corner + 1, row[column] + 1)
        }
    }
    return row[other.count]
}
