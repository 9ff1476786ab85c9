// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// The JUnit XML of several `kbtf vm run --junit`, as one. Suites and cases of the same name become
/// one: a case that failed anywhere is kept as it failed.
package struct MergedJUnit: Sendable {
    private var suites: [Suite] = []

    private struct Suite {
        let name: String
        var milliseconds: Int
        var cases: [XMLTree]
    }

    /// Whether the file is XML rather than KTAP.
    package static func isOne(_ text: ByteView) -> Bool {
        text.array.prefix(1024).drop { [0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf].contains($0) }
            .first == UInt8(ascii: "<")
    }

    /// - Parameter files: paths, and what is in them.
    /// - Throws: for what is not JUnit XML; if parts are missing.
    package init(_ files: [(path: String, text: ByteView)]) throws(VMError) {
        var shards: [(file: String, shard: Shard)] = []
        for file in files {
            let root: XMLTree
            do throws(XMLError) { root = try XMLTree(document: file.text) } catch {
                throw VMError("\(file.path)\(error)")
            }
            guard root.name == "testsuites" || root.name == "testsuite" else {
                throw VMError("\(file.path): <\(root.name)>: expected <testsuites> or <testsuite>")
            }
            if let name = root["name"], name.hasPrefix("shard "),
                let shard = Shard(name.dropFirst(6))
            {
                shards.append((file.path, shard))
            }
            for suite in root.name == "testsuite" ? [root] : root.children {
                try add(suite, file.path)
            }
        }
        if let fault = Shard.fault(shards, of: files.map(\.path)) { throw VMError(fault) }
    }

    /// Nothing failed.
    package var hasPassed: Bool {
        suites.allSatisfy { $0.cases.allSatisfy { MergedJUnit.rank($0) < 2 } }
    }

    private mutating func add(_ element: XMLTree, _ path: String) throws(VMError) {
        guard element.name == "testsuite", let name = element["name"] else {
            throw VMError("\(path): <\(element.name)>: expected <testsuite> with a name")
        }
        let milliseconds = try MergedJUnit.milliseconds(element["time"] ?? "0", path)
        var place = suites.firstIndex { $0.name == name }
        if place == nil {
            suites.append(Suite(name: name, milliseconds: 0, cases: []))
            place = suites.count - 1
        }
        guard let place else { return }
        suites[place].milliseconds += milliseconds
        for test in element.children {
            guard test.name == "testcase", test["name"] != nil else {
                // What belongs to the suite as a whole has no place in a merged one.
                if ["properties", "system-out", "system-err"].contains(test.name) { continue }
                throw VMError("\(path): <\(test.name)>: expected <testcase> with a name")
            }
            let known = suites[place].cases.firstIndex {
                $0["name"] == test["name"] && $0["classname"] == test["classname"]
            }
            guard let known else {
                suites[place].cases.append(test)
                continue
            }
            if MergedJUnit.rank(test) > MergedJUnit.rank(suites[place].cases[known]) {
                suites[place].cases[known] = test
            }
        }
    }

    /// Passed, skipped, failed, an error: the worse the higher.
    private static func rank(_ test: XMLTree) -> Int {
        test.children.map { ["skipped": 1, "failure": 2, "error": 3][$0.name] ?? 0 }.max() ?? 0
    }

    /// Seconds with up to three places.
    private static func milliseconds(_ text: String, _ path: String) throws(VMError) -> Int {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? String((parts[1] + "000").prefix(3)) : "000"
        guard (1...2).contains(parts.count), parts[0].utf8.count <= 9, let seconds = Int(parts[0]),
            seconds >= 0, let rest = Int(fraction), rest >= 0
        else { throw VMError("\(path): time=\"\(text)\": expected seconds") }
        return seconds * 1000 + rest
    }

    package var text: String {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
        for suite in suites {
            func count(_ rank: Int) -> Int { suite.cases.count { MergedJUnit.rank($0) == rank } }
            text +=
                "  <testsuite name=\"\(xmlText(suite.name))\" tests=\"\(suite.cases.count)\" "
                + "failures=\"\(count(2))\" errors=\"\(count(3))\" skipped=\"\(count(1))\" "
                + "time=\"\(Summary.seconds(suite.milliseconds))\">\n"
            for test in suite.cases { text += MergedJUnit.element(test, "    ") }
            text += "  </testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    private static func element(_ tree: XMLTree, _ indent: String) -> String {
        var text = "\(indent)<\(tree.name)"
        for (name, value) in tree.attributes { text += " \(name)=\"\(xmlText(value))\"" }
        let isPlain = tree.text.allSatisfy { $0.isWhitespace }
        if tree.children.isEmpty, isPlain { return text + "/>\n" }
        if tree.children.isEmpty {
            return text + ">\(xmlText(tree.text))</\(tree.name)>\n"
        }
        text += ">" + (isPlain ? "" : xmlText(tree.text)) + "\n"
        for child in tree.children { text += element(child, indent + "  ") }
        return text + "\(indent)</\(tree.name)>\n"
    }
}
