// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import CEmit

extension ModuleManifest {
    private static let format = "kbtf-module 2"

    /// The file's contents.
    package var text: String {
        var lines = [
            "# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause",
            "# What \(module).ko holds; made by kbtf gen module, read by kbtf gen selftest.",
            "format\t\(Self.format)",
            line("name", name), line("module", module), line("mode", mode.rawValue),
        ]
        if let object { lines.append(line("object", object)) }
        lines += options.map { line("option", $0) }
        lines += published.map { line("published", $0.program, $0.file) }
        lines.append("# program: name, type, attach type, link, section")
        lines += programs.map {
            line(
                "program", $0.identifier, "\($0.type)", "\($0.expectedAttachType)",
                $0.link.rawValue, $0.section)
        }
        lines.append("# helpers: program, numbers")
        lines += programs.filter { !$0.helpers.isEmpty }.map {
            line("helpers", $0.identifier, $0.helpers.map(String.init).joined(separator: " "))
        }
        lines.append("# map: name, type, key, value, max entries, flags, internal or declared")
        lines += maps.map {
            line(
                "map", $0.kernelName, "\($0.values.type)", "\($0.values.keySize)",
                "\($0.values.valueSize)", "\($0.values.maxEntries)", "\($0.values.flags)",
                $0.values.isInternal ? "internal" : "declared")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ words: String...) -> String {
        words.map(Self.escaped).joined(separator: "\t")
    }

    /// Section names may contain any byte, but a newline or tab must not end the field.
    private static func escaped(_ word: String) -> String {
        guard word.utf8.contains(where: { $0 < 0x20 || $0 == 0x5c }) else { return word }
        var text = ""
        for scalar in word.unicodeScalars {
            if scalar.value < 0x20 || scalar == "\\" {
                let digits = String(scalar.value, radix: 16)
                text += "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// - Throws: if the text is not one that `text` produces, with the line.
    package init(parsing text: String) throws(ManifestError) {
        var reader = ManifestReader(text)
        try reader.read()
        guard let name = reader.name else { throw ManifestError(nil, "no name") }
        guard let module = reader.module else { throw ManifestError(nil, "no module") }
        guard let mode = reader.mode else { throw ManifestError(nil, "no mode") }
        self.init(
            name: name, module: module, mode: mode, object: reader.object,
            options: reader.options, published: reader.published, programs: reader.programs,
            maps: reader.maps)
        for name in published.map(\.program) {
            guard programs.contains(where: { $0.identifier == name && $0.link == .iterator }) else {
                throw ManifestError(nil, "published \(name): no iterator with that name")
            }
        }
    }

    /// Reads the lines in order. Missing ones stay nil.
    private struct ManifestReader {
        let lines: [Substring]
        var name: String?
        var module: String?
        var mode: Mode?
        var object: String?
        var options: [String] = []
        var published: [Publication] = []
        var programs: [Program] = []
        var maps: [Map] = []

        init(_ text: String) {
            // By bytes: a tab or newline followed by a combining mark is a single Character.
            lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map(
                Substring.init)
        }

        mutating func read() throws(ManifestError) {
            var hasFormat = false
            for (index, line) in lines.enumerated() {
                if line.isEmpty || line.utf8.first == 0x23 { continue }
                let words = Words(line, number: index + 1)
                if !hasFormat {
                    guard words.keyword == "format", try words.text(1) == ModuleManifest.format
                    else { throw words.error("not a manifest that this kbtf reads") }
                    hasFormat = true
                } else {
                    try take(words)
                }
            }
            guard hasFormat else { throw ManifestError(nil, "empty") }
        }

        private mutating func take(_ words: Words) throws(ManifestError) {
            switch words.keyword {
            case "name": try words.once(&name, words.identifier(1))
            case "module": try words.once(&module, words.moduleName(1))
            case "mode": try words.once(&mode, words.choice(1, of: Mode.self))
            case "object": try words.once(&object, words.fileName(1))
            case "option": try options.append(words.text(1))
            case "published":
                published.append(
                    Publication(program: try words.identifier(1), file: try words.fileName(2)))
            case "program":
                let program = Program(
                    identifier: try words.identifier(1), type: try words.number(2),
                    expectedAttachType: try words.number(3),
                    link: try words.choice(4, of: Link.self), section: try words.text(5))
                guard !programs.contains(where: { $0.identifier == program.identifier }) else {
                    throw words.error("a second program \(program.identifier)")
                }
                programs.append(program)
            case "helpers":
                let name = try words.identifier(1)
                guard let index = programs.firstIndex(where: { $0.identifier == name }) else {
                    throw words.error("helpers \(name): no program with that name")
                }
                programs[index].helpers = try words.numbers(2)
            case "map":
                maps.append(
                    Map(
                        kernelName: try words.kernelName(1),
                        values: MapValues(
                            type: try words.number(2), keySize: try words.number(3),
                            valueSize: try words.number(4), maxEntries: try words.number(5),
                            flags: try words.number(6), isInternal: try words.isInternal(7))))
            default: throw words.error("unknown keyword \(words.keyword)")
            }
        }
    }

    /// The words of a line.
    private struct Words {
        let words: [Substring]
        let number: Int

        init(_ line: Substring, number: Int) {
            words = line.utf8.split(separator: 0x09, omittingEmptySubsequences: false).map(
                Substring.init)
            self.number = number
        }

        var keyword: Substring { words.first ?? "" }

        func error(_ message: String) -> ManifestError { ManifestError(number, message) }

        func text(_ index: Int) throws(ManifestError) -> String {
            guard index < words.count else {
                throw error("\(keyword): \(index) values expected, found \(words.count - 1)")
            }
            var text = ""
            var rest = words[index].unicodeScalars[...]
            while let scalar = rest.popFirst() {
                guard scalar == "\\" else {
                    text.unicodeScalars.append(scalar)
                    continue
                }
                guard rest.popFirst() == "x", rest.count >= 2,
                    let code = UInt8(String(rest.prefix(2)), radix: 16)
                else { throw error("a backslash stands before x and two digits") }
                rest = rest.dropFirst(2)
                text.unicodeScalars.append(Unicode.Scalar(code))
            }
            return text
        }

        func number(_ index: Int) throws(ManifestError) -> UInt32 {
            let text = try text(index)
            guard let number = UInt32(text) else { throw error("\(text): not a number of 32 bits") }
            return number
        }

        /// Separated by blanks.
        func numbers(_ index: Int) throws(ManifestError) -> [UInt32] {
            var numbers: [UInt32] = []
            for word in try text(index).split(separator: " ", omittingEmptySubsequences: false) {
                guard let number = UInt32(word), number > 0, number <= Int32.max else {
                    throw error("\(word): not the number of a helper")
                }
                numbers.append(number)
            }
            return numbers
        }

        func choice<Choice: RawRepresentable & CaseIterable>(
            _ index: Int, of: Choice.Type
        ) throws(ManifestError) -> Choice where Choice.RawValue == String {
            let text = try text(index)
            guard let choice = Choice(rawValue: text) else {
                let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                throw error("\(keyword): \(text): one of \(known) expected")
            }
            return choice
        }

        func isInternal(_ index: Int) throws(ManifestError) -> Bool {
            switch try text(index) {
            case "internal": true
            case "declared": false
            case let other: throw error("\(other): internal or declared expected")
            }
        }

        func identifier(_ index: Int) throws(ManifestError) -> String {
            let text = try text(index)
            guard CIdentifier.isValid(text) else { throw error("\(text): not a name of C") }
            return text
        }

        /// Letters, digits, underscores and dots, as in the kernel; at most 15.
        func kernelName(_ index: Int) throws(ManifestError) -> String {
            let text = try text(index)
            guard !text.isEmpty, text.utf8.count <= 15, Self.isPlain(text, besides: ".") else {
                throw error("\(text): not a name that the kernel takes")
            }
            return text
        }

        func moduleName(_ index: Int) throws(ManifestError) -> String {
            let text = try text(index)
            guard !text.isEmpty, text.utf8.count < 56, Self.isPlain(text, besides: "-") else {
                throw error("\(text): not a name of a module")
            }
            return text
        }

        /// In the manifest's own directory and nowhere else, and without characters that are
        /// special in a Makefile.
        func fileName(_ index: Int) throws(ManifestError) -> String {
            let text = try text(index)
            guard !text.isEmpty, text.utf8.first != 0x2e, Self.isPlain(text, besides: ".-") else {
                throw error("\(text): not the name of a file in this directory")
            }
            return text
        }

        func once<Value>(_ place: inout Value?, _ value: Value) throws(ManifestError) {
            guard place == nil else { throw error("a second \(keyword)") }
            place = value
        }

        private static func isPlain(_ text: String, besides others: String) -> Bool {
            text.unicodeScalars.allSatisfy {
                switch $0 {
                case "a"..."z", "A"..."Z", "0"..."9", "_": true
                default: others.unicodeScalars.contains($0)
                }
            }
        }
    }
}

/// Why a manifest cannot be read.
package struct ManifestError: Error, Equatable, CustomStringConvertible {
    /// Counts from 1; nil if the whole manifest is meant.
    package let line: Int?
    package let message: String

    init(_ line: Int?, _ message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { (line.map { "line \($0): " } ?? "") + message }
}
