// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser

/// `--color`.
package struct PaintOptions: ParsableArguments {
    package enum When: String, CaseIterable, ExpressibleByArgument { case auto, always, never }

    @Option(
        help: ArgumentHelp(
            "Colour verdicts: auto (on a terminal), always or never.", valueName: "WHEN"))
    package var color = When.auto

    package init() {}

    package func paint(_ surroundings: Surroundings) -> Paint {
        switch color {
        case .always: Paint(isOn: true)
        case .never: Paint(isOn: false)
        case .auto:
            // https://no-color.org
            Paint(
                isOn: surroundings.output.isTerminal()
                    && surroundings.variable("NO_COLOR") == nil)
        }
    }
}

/// Colours for verdicts, or none.
package struct Paint: Sendable {
    package let isOn: Bool

    package func good(_ text: String) -> String { paint(text, "32") }
    package func bad(_ text: String) -> String { paint(text, "31") }

    private func paint(_ text: String, _ code: String) -> String {
        isOn ? "\u{1b}[\(code)m\(text)\u{1b}[m" : text
    }
}
