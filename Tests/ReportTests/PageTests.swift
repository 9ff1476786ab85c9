// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import Report

/// The HTML page: what is in it, and that nothing else can get in.
struct PageTests {
    static let hostile = "<script>alert(1)</script>\"'&\u{1b}[31m"

    private func file(_ name: String, _ count: Int, _ type: String = "s") throws -> SizedFile {
        var asm = BTFAssembler()
        let int = asm.int("int")
        for index in 0..<count {
            asm.structure("\(type)\(index)", size: 4, [("member\(index)", int, 0)])
        }
        return SizedFile(
            name, try asm.parse(), size: asm.bytes().count, others: [],
            SizedFile.Request(limit: 10, names: nil))
    }

    private func page(_ report: SizeReport, title: String = "title") -> String {
        ReportPage(
            title: title, summary: "summary", map: report.map, tables: report.tables(limit: 10),
            generator: "kbtf"
        ).html
    }

    // MARK: Map

    /// Areas are sizes, rectangles do not overlap, and parts are inside what they belong to.
    @Test func treemap() {
        let nodes = [600, 300, 50, 30, 20].map {
            MapNode("n\($0)", detail: "", size: $0, style: "other")
        }
        let whole = Treemap.Rectangle(x: 0, y: 0, width: 500, height: 200)
        let boxes = Treemap(nodes, in: whole).boxes
        #expect(boxes.map(\.label) == ["n600", "n300", "n50", "n30", "n20"])
        for (box, node) in zip(boxes, nodes) {
            #expect(
                abs(box.rectangle.width * box.rectangle.height - Double(node.size) * 100) < 0.01)
        }
        for (index, box) in boxes.enumerated() {
            let a = box.rectangle
            #expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= 500.001 && a.y + a.height <= 200.001)
            for other in boxes.dropFirst(index + 1) {
                let b = other.rectangle
                let isApart =
                    a.x + a.width <= b.x + 0.001 || b.x + b.width <= a.x + 0.001
                    || a.y + a.height <= b.y + 0.001 || b.y + b.height <= a.y + 0.001
                #expect(isApart)
            }
        }
    }

    @Test func small() {
        let many = (0..<100_000).map { MapNode("n\($0)", detail: "", size: 1, style: "data") }
        let large = MapNode("large", detail: "", size: 100_000, style: "other")
        let whole = Treemap.Rectangle(x: 0, y: 0, width: 1200, height: 700)
        let boxes = Treemap(many + [large], in: whole).boxes
        #expect(boxes.map(\.label) == ["large", "100,000 smaller"])
        #expect(Treemap([], in: whole).boxes.isEmpty)
        #expect(Treemap([MapNode("none", detail: "", size: 0, style: "")], in: whole).boxes.isEmpty)
    }

    // MARK: Structure

    @Test func structure() throws {
        let report = SizeReport([try file("one.ko", 40), try file("two.ko", 4, "t")])
        let html = page(report)
        #expect(html.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
        #expect(html.contains("default-src 'none'; style-src 'unsafe-inline'"))
        #expect(html.contains("@media (prefers-color-scheme: dark)"))
        #expect(html.contains("role=\"img\" aria-labelledby=\"map-title map-description\""))
        for text in ["<svg ", "<title id=\"map-title\">", "<desc id=\"map-description\">"] {
            #expect(html.matches(of: try Regex(text)).count == 1)
        }
        let tables = report.tables(limit: 10)
        #expect(html.matches(of: #/<caption>/#).count == tables.count)
        for table in tables { #expect(html.contains("<caption>\(table.title)</caption>")) }
        // Nothing is loaded, nothing runs.
        for word in ["<script", "<link", "<img", "http://", "https://", "url(", "@import", " on"] {
            #expect(!html.contains(word) || word == " on", "\(word)")
        }
        #expect(html.firstMatch(of: #/<[^>]* on[a-z]+=/#) == nil)
        #expect(Self.isBalanced(html))
    }

    /// Each rectangle has a text for those who hear or point at it.
    @Test func rectangles() throws {
        let html = page(SizeReport([try file("one.ko", 300)]))
        let groups = html.matches(of: #/<g class="[a-z ]+"><title>[^<]+: [^<]+</title><rect /#)
        #expect(groups.count > 3)
        #expect(groups.count == html.matches(of: #/<rect /#).count)
    }

    @Test func escapes() throws {
        let report = SizeReport([try file(Self.hostile, 2, Self.hostile), try file("b", 2)])
        let html = page(report, title: Self.hostile)
        #expect(!html.contains("<script") && !html.contains("\u{1b}"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\x1b[31m"))
        #expect(Self.isBalanced(html))
    }

    /// As large as a kernel with its modules, the page stays small.
    @Test func bounded() throws {
        let files = try (0..<400).map { try file("module\($0).ko", 60) }
        let html = page(SizeReport(files))
        #expect(html.utf8.count < 2_000_000)
        #expect(html.matches(of: #/<rect /#).count < 4000)
    }

    // MARK: Drift

    @Test func drift() throws {
        let (old, new) = (SizeReport([try file("a.ko", 3)]), SizeReport([try file("b.ko", 5)]))
        let drift = SizeDrift(old, new)
        #expect(drift.types.map(\.name) == ["struct s3", "struct s4"])
        #expect(drift.types.allSatisfy { $0.state == .new && $0.old == nil })
        // One file on each side is the same file.
        #expect(drift.files.map(\.state) == [.grown])
        #expect(drift.new - drift.old == drift.files[0].delta)
        let changes =
            drift.kinds.reduce(0) { $0 + $1.delta } + drift.common.reduce(0) { $0 + $1.delta }
        #expect(changes == drift.new - drift.old)
        let back = SizeDrift(new, old)
        #expect(back.types.allSatisfy { $0.state == .gone })
        #expect(
            SizeDrift(new, new).types.isEmpty && SizeDrift(new, new).map.allSatisfy { $0.size == 0 }
        )
        let html = ReportPage(
            title: "drift", summary: "", map: drift.map, tables: drift.tables(limit: 10),
            generator: "kbtf"
        ).html
        #expect(html.contains("<td class=\"number\">+") && Self.isBalanced(html))
    }

    @Test(arguments: [
        (ReportTable.Cell.number(1_234_567), "1,234,567"), (.number(12), "12"),
        (.change(-1000), "-1,000"), (.change(5), "+5"), (.share(1, of: 3), "33.3 %"),
        (.share(1, of: 0), "-"), (.text("1234"), "1234"),
    ])
    func cells(cell: ReportTable.Cell, text: String) { #expect(cell.grouped == text) }

    /// Every element that is opened is closed, in order.
    static func isBalanced(_ html: String) -> Bool {
        var open: [Substring] = []
        for tag in html.matches(of: #/<(/?)([a-zA-Z0-9]+)([^<>]*)>/#) {
            let (_, slash, name, rest) = tag.output
            if name == "meta" || rest.hasSuffix("/") { continue }
            if slash.isEmpty { open.append(name) } else if open.popLast() != name { return false }
        }
        return open.isEmpty
    }
}
