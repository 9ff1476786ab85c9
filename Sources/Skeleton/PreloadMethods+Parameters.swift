// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

// Parameters of the module. They are checked before anything is loaded, and only read then: they
// cannot be changed while the module is loaded.

extension PreloadMethods {
    private func variable(_ parameter: ModuleParameter) -> String {
        "\(prefix)__\(parameter.name)_param"
    }

    /// The kernel headers that parameters need.
    var parameterHeaders: [String] {
        ["moduleparam", "string"]
            + (plan.parameters.contains { $0.entries == .pages } ? ["log2", "mm"] : [])
            + (plan.parameters.contains { $0.entries == .processors } ? ["threads"] : [])
    }

    func writeParameters(_ c: inout CWriter) {
        for parameter in plan.parameters {
            let variable = variable(parameter)
            let type = parameter.moduleType
            if case .text(let bytes) = parameter.kind {
                let text = CLiteral.string(bytes: parameter.text)
                c.line("static char \(variable)[\(bytes)] = \(text);")
            } else {
                c.line("static \(type.c) \(variable) = \(parameter.initialLiteral);")
            }
            c.withoutMacros([parameter.name]) { c in
                if case .text = parameter.kind {
                    c.line(
                        "module_param_string(\(parameter.name), \(variable), sizeof(\(variable)), 0444);"
                    )
                } else {
                    c.line(
                        "module_param_named(\(parameter.name), \(variable), \(type.name), 0444);")
                }
                c.line(
                    "MODULE_PARM_DESC(\(parameter.name), \(CLiteral.string(parameter.summary)));")
            }
            c.line()
        }
        guard plan.parameters.contains(where: \.isChecked) else { return }
        c.define("static int skel_check_parameters(void)") { c in
            for parameter in plan.parameters where parameter.isChecked { writeCheck(parameter, &c) }
            c.line("return 0;")
        }
        c.line()
    }

    private func writeCheck(_ parameter: ModuleParameter, _ c: inout CWriter) {
        if let range = parameter.range, range != parameter.moduleType.range {
            writeCheck(parameter, within: range, &c)
        }
        let variable = variable(parameter)
        switch parameter.entries {
        case .pages:
            c.scope("if (!is_power_of_2(\(variable)) || \(variable) % PAGE_SIZE)") { c in
                c.line(
                    "pr_err(\"\(parameter.name): %u is not a power of two and whole pages of %lu\\n\","
                )
                c.line("       \(variable), PAGE_SIZE);")
                c.line("return -EINVAL;")
            }
        case .processors:
            c.scope("if (\(variable) > NR_CPUS)") { c in
                c.line(
                    "pr_err(\"\(parameter.name): %u is more than the kernel's CPUs, %u\\n\","
                )
                c.line("       \(variable), (unsigned int)NR_CPUS);")
                c.line("return -EINVAL;")
            }
        case nil: break
        }
    }

    private func writeCheck(
        _ parameter: ModuleParameter, within range: ClosedRange<Int128>, _ c: inout CWriter
    ) {
        let variable = variable(parameter)
        var tests: [String] = []
        let all = parameter.moduleType.range
        if range.lowerBound > all.lowerBound {
            tests.append("\(variable) < \(literal(range.lowerBound))")
        }
        if range.upperBound < all.upperBound {
            tests.append("\(variable) > \(literal(range.upperBound))")
        }
        let format = all.lowerBound < 0 ? "%lld" : "%llu"
        let cast = all.lowerBound < 0 ? "(long long)" : "(unsigned long long)"
        c.scope("if (\(tests.joined(separator: " || ")))") { c in
            c.line(
                "pr_err(\"\(parameter.name): \(format) is not within \(range.lowerBound)..\(range.upperBound)\\n\","
            )
            c.line("       \(cast)\(variable));")
            c.line("return -EINVAL;")
        }
    }

    /// Before the skeleton is opened.
    func writeParameterCheck(_ c: inout CWriter) {
        guard plan.parameters.contains(where: \.isChecked) else { return }
        c.scope("if (skel_check_parameters())") { c in
            c.line("err = -EINVAL;")
            c.line("goto out;")
        }
    }

    /// Between opening and loading.
    func writeParameterValues(_ c: inout CWriter) {
        for parameter in plan.parameters {
            let variable = variable(parameter)
            switch parameter.target {
            case .entries(let map): c.line("skel->maps.\(map).max_entries = \(variable);")
            case .variable(let map):
                let member = "skel->\(map)->\(parameter.name)"
                c.withoutMacros([parameter.name]) { c in
                    if case .text = parameter.kind {
                        // What is left of the object's text behind a shorter one is not its.
                        c.line("strscpy_pad((char *)\(member), \(variable), sizeof(\(variable)));")
                    } else {
                        c.line("\(member) = \(variable);")
                    }
                }
            }
        }
    }
}

/// A number as C has it, whatever its size.
private func literal(_ value: Int128) -> String {
    if value == -(Int128(1) << 63) { return "(-0x7fffffffffffffffLL - 1)" }
    if value > Int128(Int64.max) { return "\(value)ULL" }
    return abs(value) > 0x7fff_ffff ? "\(value)LL" : "\(value)"
}

private func abs(_ value: Int128) -> Int128 { value < 0 ? -value : value }

extension ModuleParameter {
    /// A type of linux/moduleparam.h.
    fileprivate struct ModuleType {
        let name: String
        let c: String
        /// What it accepts by itself. A `long` has 64 bits where modules with such parameters run.
        let range: ClosedRange<Int128>
    }

    fileprivate var moduleType: ModuleType {
        switch kind {
        case .bool: ModuleType(name: "bool", c: "bool", range: 0...1)
        case .number(1, isSigned: false): ModuleType(kind, "byte", "unsigned char")
        case .number(2, isSigned: false): ModuleType(kind, "ushort", "unsigned short")
        case .number(4, isSigned: false): ModuleType(kind, "uint", "unsigned int")
        case .number(_, isSigned: false): ModuleType(kind, "ullong", "unsigned long long")
        // There is no type for signed bytes.
        case .number(1, isSigned: true):
            ModuleType(.number(bytes: 4, isSigned: true), "int", "int")
        case .number(2, isSigned: true): ModuleType(kind, "short", "short")
        case .number(4, isSigned: true): ModuleType(kind, "int", "int")
        case .number(_, isSigned: true): ModuleType(kind, "long", "long")
        case .text: ModuleType(name: "string", c: "char", range: 0...0)
        }
    }

    fileprivate var isChecked: Bool {
        entries != nil || range != nil && range != moduleType.range
    }

    fileprivate var initialLiteral: String {
        if case .bool = kind { return initial == 0 ? "false" : "true" }
        return literal(initial ?? 0)
    }

    /// For `modinfo`.
    fileprivate var summary: String {
        var words: String
        switch target {
        case .entries(let map): words = "entries of the map \(map)"
        case .variable: words = "a constant of the BPF programs"
        }
        if let range, range != moduleType.range {
            words += ", \(range.lowerBound)..\(range.upperBound)"
        }
        switch (kind, initial) {
        case (.bool, let initial?): words += ", default \(initial == 0 ? "N" : "Y")"
        case (_, let initial?): words += ", default \(initial)"
        default: break
        }
        return words
    }
}

extension ModuleParameter.ModuleType {
    fileprivate init(_ kind: CScalar, _ name: String, _ c: String) {
        self.init(name: name, c: c, range: kind.range ?? 0...0)
    }
}
