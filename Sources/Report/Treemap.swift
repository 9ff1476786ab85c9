// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a treemap shows: a size, and the parts of it.
package struct MapNode: Sendable {
    package let label: String
    /// What is said about it besides its label.
    package let detail: String
    package let size: Int
    /// What it is coloured as.
    package let style: String
    package var children: [MapNode] = []

    package init(
        _ label: String, detail: String, size: Int, style: String, _ children: [MapNode] = []
    ) {
        self.label = label
        self.detail = detail
        self.size = size
        self.style = style
        self.children = children
    }
}

/// Rectangles whose areas are sizes, each inside that of what it is a part of.
///
/// Squarified (Bruls, Huizing, van Wijk, "Squarified Treemaps", 2000): parts are placed in rows
/// along the shorter side, and a row ends where one more part would make its rectangles longer.
package struct Treemap: Sendable {
    package struct Rectangle: Equatable, Sendable {
        package var x: Double
        package var y: Double
        package var width: Double
        package var height: Double

        package init(x: Double, y: Double, width: Double, height: Double) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }

        var area: Double { width * height }
    }

    package struct Box: Sendable {
        package let rectangle: Rectangle
        package let label: String
        package let detail: String
        package let style: String
        /// It has parts, and its label is above them.
        package let isGroup: Bool
    }

    /// Groups before their parts.
    package private(set) var boxes: [Box] = []

    /// Smaller parts are one rectangle together: that bounds how many there are.
    private static let leastArea = 220.0
    private static let titleHeight = 16.0
    private static let margin = 1.0

    package init(_ roots: [MapNode], in rectangle: Rectangle) { add(roots, rectangle) }

    /// No deeper than what a report builds: files, kinds, types.
    private mutating func add(_ nodes: [MapNode], _ rectangle: Rectangle) {
        let sorted = nodes.filter { $0.size > 0 }.enumerated()
            .sorted { a, b in
                a.element.size != b.element.size
                    ? a.element.size > b.element.size : a.offset < b.offset
            }.map(\.element)
        let total = sorted.reduce(0) { $0 + $1.size }
        guard total > 0, rectangle.width > 1, rectangle.height > 1 else { return }
        let scale = rectangle.area / Double(total)
        var shown = Array(sorted.prefix { Double($0.size) * scale >= Self.leastArea })
        let rest = sorted.dropFirst(shown.count)
        if !rest.isEmpty {
            let size = rest.reduce(0) { $0 + $1.size }
            shown.append(
                MapNode(
                    ReportTable.Cell.number(rest.count).grouped + " smaller",
                    detail: ReportTable.Cell.number(size).grouped + " bytes", size: size,
                    style: rest.first?.style ?? ""))
            shown.sort { $0.size > $1.size }
        }
        let places = Self.squarify(shown.map { Double($0.size) * scale }, rectangle)
        for (node, place) in zip(shown, places) {
            let inner = Rectangle(
                x: place.x + Self.margin, y: place.y + Self.titleHeight,
                width: place.width - 2 * Self.margin,
                height: place.height - Self.titleHeight - Self.margin)
            let isGroup = !node.children.isEmpty && inner.width > 30 && inner.height > 20
            boxes.append(
                Box(
                    rectangle: place, label: node.label, detail: node.detail, style: node.style,
                    isGroup: isGroup))
            if isGroup { add(node.children, inner) }
        }
    }

    /// - Parameters:
    ///   - areas: in falling order; together the area of `rectangle`.
    static func squarify(_ areas: [Double], _ rectangle: Rectangle) -> [Rectangle] {
        var free = rectangle
        var placed: [Rectangle] = []
        var start = 0
        while start < areas.count {
            let side = min(free.width, free.height)
            var end = start + 1
            var sum = areas[start]
            var worst = ratio(areas[start], areas[start], sum, side)
            while end < areas.count {
                let longer = ratio(areas[start], areas[end], sum + areas[end], side)
                guard longer <= worst else { break }
                worst = longer
                sum += areas[end]
                end += 1
            }
            let thickness = side > 0 ? sum / side : 0
            var offset = 0.0
            for area in areas[start..<end] {
                let length = thickness > 0 ? area / thickness : 0
                placed.append(
                    free.width >= free.height
                        ? Rectangle(
                            x: free.x, y: free.y + offset, width: thickness, height: length)
                        : Rectangle(
                            x: free.x + offset, y: free.y, width: length, height: thickness))
                offset += length
            }
            if free.width >= free.height {
                free.x += thickness
                free.width = max(0, free.width - thickness)
            } else {
                free.y += thickness
                free.height = max(0, free.height - thickness)
            }
            start = end
        }
        return placed
    }

    /// How long the longest rectangle of a row is beside its width.
    private static func ratio(
        _ largest: Double, _ smallest: Double, _ sum: Double, _ side: Double
    ) -> Double {
        let (square, whole) = (side * side, sum * sum)
        guard square > 0, smallest > 0 else { return .infinity }
        return max(square * largest / whole, whole / (square * smallest))
    }
}
