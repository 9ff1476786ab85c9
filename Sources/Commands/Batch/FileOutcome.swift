// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console

/// A file that a command works on.
protocol BatchFile: Sendable {
    var path: String { get }
    /// Why it cannot be worked on, where that is known before it is opened.
    var failure: Failure? { get }
}

extension BatchFile {
    var failure: Failure? { nil }
}

extension Destinations.Job: BatchFile {}
extension Inputs.Entry: BatchFile {}

/// What came of one file.
struct FileOutcome<Value: Sendable>: Sendable {
    let path: String
    var value: Value
    var messages: [Talk.Message] = []
    /// What is said once about this file and others.
    var shared: [Talk.Message] = []
    /// What was said with another file and is so of this one, too.
    var alsoSaid: [Talk.Message] = []
    /// Why nothing came of it.
    var failure: Failure?
    /// The base is of another kernel than the file.
    var foreign: ForeignBase?

    init(path: String, value: Value) {
        self.path = path
        self.value = value
    }

    mutating func fail(_ failure: Failure) {
        self.failure = failure
        messages.append(.failure(failure))
    }

    /// The file as an object of a report.
    ///
    /// - Parameter fields: what is known besides its name, its failure and its messages.
    func write(to json: inout JSONWriter, _ fields: (inout JSONWriter) -> Void) {
        json.object { json in
            json.field("file", path)
            fields(&json)
            if let failure { failure.write(to: &json) }
            var messages = messages + alsoSaid
            if let foreign, failure == nil {
                messages.append(.warning(foreign.message(path, others: 0), hint: foreign.hint))
            }
            json.field("diagnostics", Diagnostics(messages))
        }
    }
}

extension Collection {
    /// Says what there is to say about each file.
    func say<Value>(_ talk: Talk) where Element == FileOutcome<Value> {
        for outcome in self {
            for message in outcome.messages + outcome.shared { talk.say(message) }
        }
    }
}

extension Array {
    /// For what is said once about several files, with the first of `members`.
    mutating func fail<Value>(_ members: [Int], _ failure: Failure)
    where Element == FileOutcome<Value> {
        for index in members { self[index].failure = failure }
        self[members[0]].shared.append(.failure(failure))
    }

    mutating func say<Value>(_ message: Talk.Message, _ members: [Int])
    where Element == FileOutcome<Value> {
        for index in members { self[index].alsoSaid.append(message) }
        self[members[0]].shared.append(message)
    }

    /// The files among `members` whose base is of another kernel and that did not fail, by what
    /// differs, in order.
    func alike<Value>(_ members: [Int]) -> [(ForeignBase, [Int])]
    where Element == FileOutcome<Value> {
        var found: [(ForeignBase, [Int])] = []
        var places: [ForeignBase: Int] = [:]
        for index in members {
            guard let foreign = self[index].foreign, self[index].failure == nil else { continue }
            if let place = places[foreign] {
                found[place].1.append(index)
            } else {
                places[foreign] = found.count
                found.append((foreign, [index]))
            }
        }
        return found
    }
}
