// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Recognises the kernel's complaints by their first words.
enum TroubleRecogniser {
    /// A prefix and its meaning.
    private struct Rule {
        let start: String
        let kind: Trouble.Kind
    }

    /// The first match counts, so special rules precede general ones.
    private static let rules: [Rule] = [
        Rule(start: "Kernel panic - not syncing: No working init found", kind: .noInit),
        Rule(start: "Kernel panic - not syncing: Requested init ", kind: .noInit),
        Rule(start: "Kernel panic - not syncing: VFS: Unable to mount root fs", kind: .noInit),
        Rule(start: "Kernel panic - not syncing", kind: .panic),

        Rule(start: "BUG: KASAN: ", kind: .sanitizer),
        Rule(start: "BUG: KFENCE: ", kind: .sanitizer),
        Rule(start: "BUG: KCSAN: ", kind: .sanitizer),
        Rule(start: "BUG: KMSAN: ", kind: .sanitizer),
        Rule(start: "UBSAN: ", kind: .sanitizer),

        Rule(start: "BUG: unable to handle ", kind: .oops),
        Rule(start: "BUG: kernel NULL pointer dereference", kind: .oops),
        Rule(start: "Unable to handle kernel ", kind: .oops),
        Rule(start: "Internal error: ", kind: .oops),
        Rule(start: "Oops: ", kind: .oops),
        Rule(start: "general protection fault", kind: .oops),
        Rule(start: "double fault: ", kind: .oops),
        Rule(start: "divide error: ", kind: .oops),
        Rule(start: "stack segment: ", kind: .oops),

        Rule(start: "BUG: soft lockup", kind: .stall),
        Rule(start: "BUG: workqueue lockup", kind: .stall),
        Rule(start: "INFO: task ", kind: .stall),
        Rule(start: "INFO: rcu_", kind: .stall),
        Rule(start: "rcu: INFO: rcu_", kind: .stall),

        Rule(start: "WARNING: possible circular locking", kind: .lockdep),
        Rule(start: "WARNING: possible recursive locking", kind: .lockdep),
        Rule(start: "WARNING: possible irq lock inversion", kind: .lockdep),
        Rule(start: "WARNING: inconsistent lock state", kind: .lockdep),
        Rule(start: "WARNING: bad unlock balance", kind: .lockdep),
        Rule(start: "WARNING: suspicious RCU usage", kind: .lockdep),
        Rule(start: "WARNING: lock held when returning to user space", kind: .lockdep),
        Rule(start: "WARNING: held lock freed", kind: .lockdep),
        Rule(start: "WARNING: Nested lock was not taken", kind: .lockdep),
        Rule(start: "BUG: Invalid wait context", kind: .lockdep),
        Rule(start: "BUG: MAX_LOCK", kind: .lockdep),
        Rule(start: "INFO: trying to register non-static key", kind: .lockdep),

        Rule(start: "kernel BUG at ", kind: .bug),
        Rule(start: "BUG: ", kind: .bug),
        Rule(start: "WARNING: ", kind: .warning),
    ]

    /// The kind of complaint in the kernel's line `text` (without time and caller).
    static func kind(of text: Substring) -> Trouble.Kind? {
        var text = text
        if text.hasPrefix("watchdog: ") { text = text.dropFirst(10) }
        guard let rule = rules.first(where: { text.hasPrefix($0.start) }) else { return nil }
        let isCertain =
            switch rule.start {
            case "INFO: task ": text.contains(" blocked for more than ")
            case "INFO: rcu_", "rcu: INFO: rcu_": text.contains(" detected ")
            default: true
            }
        return isCertain ? rule.kind : nil
    }

    /// Lines that end a report.
    static func endsReport(_ text: Substring) -> Bool {
        text.hasPrefix("---[ end trace ") || text.hasPrefix("---[ end Kernel panic")
    }
}
