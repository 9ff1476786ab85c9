// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// A report as one HTML page that needs no scripts, no network and no other file.
///
/// Everything that the map shows is in the tables as well, or named there as a remainder, for
/// readers who do not see the map.
package struct ReportPage: Sendable {
    package let title: String
    /// One sentence.
    package let summary: String
    package let map: [MapNode]
    package let tables: [ReportTable]
    /// The program that made the page.
    package let generator: String

    package init(
        title: String, summary: String, map: [MapNode], tables: [ReportTable], generator: String
    ) {
        self.title = title
        self.summary = summary
        self.map = map
        self.tables = tables
        self.generator = generator
    }

    private static let width = 1200.0
    private static let height = 720.0

    /// What browsers call the page's own style, which is all that they may use.
    private static let ownStyle = "unsafe-inline"

    package var html: String {
        let treemap = Treemap(
            map,
            in: Treemap.Rectangle(x: 0, y: 0, width: Self.width, height: Self.height))
        let used = Set(treemap.boxes.map(\.style))
        let styles = MapStyle.allCases.filter { used.contains($0.rawValue) }
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '\(Self.ownStyle)'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="\(generator.html)">
            <title>\(title.html)</title>
            <style>
            \(Self.style(styles))</style>
            </head>
            <body>
            <header>
            <h1>\(title.html)</h1>
            <p>\(summary.html)</p>
            </header>
            <main>
            <figure>
            \(svg(treemap))\(Self.legend(styles))</figure>
            <section>

            """
        for table in tables { page += Self.text(table) }
        return page + "</section>\n</main>\n</body>\n</html>\n"
    }

    // MARK: Map

    private func svg(_ treemap: Treemap) -> String {
        var svg =
            "<svg viewBox=\"0 0 \(Self.width.tenths) \(Self.height.tenths)\" role=\"img\" "
            + "aria-labelledby=\"map-title map-description\">\n"
            + "<title id=\"map-title\">\(title.html)</title>\n"
            + "<desc id=\"map-description\">A treemap: the area of a rectangle is its share of "
            + "the bytes. The tables have the same numbers.</desc>\n"
        for box in treemap.boxes { svg += Self.text(box) }
        return svg + "</svg>\n"
    }

    /// Width of a character at the size of labels, in the widest of the usual fonts (0.602 of the
    /// size, in DejaVu and Menlo).
    private static let characterWidth = 6.63

    private static func text(_ box: Treemap.Box) -> String {
        let place = box.rectangle
        var text =
            "<g class=\"\(box.style.html)\(box.isGroup ? " group" : "")\"><title>\(box.label.html): "
            + "\(box.detail.html)</title><rect x=\"\(place.x.tenths)\" y=\"\(place.y.tenths)\" "
            + "width=\"\(place.width.tenths)\" height=\"\(place.height.tenths)\"/>"
        let room = Int((place.width - 8) / characterWidth)
        if room >= 3, place.height >= 14 {
            let label = box.label.shown
            let shown = label.count <= room ? label : label.prefix(room - 1) + "…"
            text +=
                "<text x=\"\((place.x + 4).tenths)\" y=\"\((place.y + 12).tenths)\">\(shown.html)</text>"
        }
        return text + "</g>\n"
    }

    private static func legend(_ styles: [MapStyle]) -> String {
        let entries = styles.filter { $0 != .file }
            .map { "<li><span class=\"swatch \($0.rawValue)\"></span>\($0.name)</li>\n" }
        return "<figcaption><ul>\n\(entries.joined())</ul></figcaption>\n"
    }

    // MARK: Tables

    private static func text(_ table: ReportTable) -> String {
        var text =
            "<div class=\"table\"><table>\n<caption>\(table.title.html)</caption>\n<thead><tr>"
        for (column, heading) in table.headings.enumerated() {
            let isNumber = table.rows.contains { $0[column] != .nothing && $0[column].isNumber }
            text += "<th scope=\"col\"\(isNumber ? " class=\"number\"" : "")>\(heading.html)</th>"
        }
        text += "</tr></thead>\n<tbody>\n"
        for row in table.rows {
            text += "<tr>"
            for (column, cell) in row.enumerated() {
                let kind = cell.isNumber ? " class=\"number\"" : ""
                text +=
                    column == 0
                    ? "<th scope=\"row\"\(kind)>\(cell.grouped.html)</th>"
                    : "<td\(kind)>\(cell.grouped.html)</td>"
            }
            text += "</tr>\n"
        }
        text += "</tbody>\n</table>\n"
        if !table.note.isEmpty { text += "<p>\(table.note.html)</p>\n" }
        return text + "</div>\n"
    }

    // MARK: Style

    private static func style(_ styles: [MapStyle]) -> String {
        func colours(lightness: Int) -> String {
            styles.map { style in
                let (hue, saturation) = style.colour
                return "--\(style.rawValue): hsl(\(hue) \(saturation)% \(lightness)%);\n"
            }.joined()
        }
        return """
            :root {
            color-scheme: light dark;
            --page: #fff; --ink: #1c1c1c; --line: #c8c8c8; --edge: #fff;
            \(colours(lightness: 80))}
            @media (prefers-color-scheme: dark) {
            :root {
            --page: #16181b; --ink: #e8e8e8; --line: #44484d; --edge: #16181b;
            \(colours(lightness: 27))}
            }
            body { margin: 1.5rem; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
            h1 { font-size: 1.4rem; margin: 0; }
            header p { margin: .2rem 0 1rem; }
            figure { margin: 0; }
            svg { width: 100%; height: auto; display: block; }
            svg rect { stroke: var(--edge); stroke-width: 1; }
            svg g.group > rect { fill-opacity: .55; }
            svg g:hover > rect { stroke: var(--ink); stroke-width: 2; }
            svg text { font: 11px ui-monospace, monospace; fill: var(--ink); pointer-events: none; }
            figcaption ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; padding: 0; margin: .6rem 0 1rem; }
            .swatch { display: inline-block; width: .9em; height: .9em; margin-right: .4em; }
            .table { overflow-x: auto; margin: 0 0 1.6rem; }
            table { border-collapse: collapse; }
            caption { text-align: left; font-weight: 600; padding: .3rem 0; }
            th, td { text-align: left; font-weight: normal; padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
            thead th { font-weight: 600; }
            .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
            @media (min-width: 1500px) { main { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 2rem; } figure { position: sticky; top: 1.5rem; align-self: start; } }
            \(styles.map { "svg .\($0.rawValue) > rect { fill: var(--\($0.rawValue)); }\n.swatch.\($0.rawValue) { background: var(--\($0.rawValue)); }\n" }.joined())
            """
    }
}
