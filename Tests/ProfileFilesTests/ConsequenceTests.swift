import Inventory
import ProfileFiles
import Testing

/// What follows from a profile, as it is written.
@Suite struct ConsequenceTests {
    static func profile(_ text: String) throws -> HardwareProfile {
        try ProfileDirectory.parse(text, file: "p.yaml", name: "p")
    }

    @Test("all of it, in a profile that says everything")
    func everything() throws {
        let profile = try Self.profile(
            """
            console: [tty0, "ttyS1,115200n8"]
            kernel_arguments: [quiet]
            wipe: {method: purge, verify: full, frozen: clear}
            deadlines: {wiping: 8h, joining: 20m}
            bmc:
              quirks: [slow, no-redfish]
              power_settle: 5m
            labels:
              example.com/class: storage
              gpu: ""
            allowed_releases: [talos-1.*, reference-2]
            """)
        #expect(profile.agentArguments.map(\.description) == ["quiet", "console=tty0", "console=ttyS1,115200n8"])
        #expect(profile.wipe == WipePolicy(method: .purge, verify: .full, frozen: .clear))
        #expect(profile.deadlines == PhaseDeadlines(wiping: 8 * 3600, joining: 20 * 60))
        #expect(profile.bmc == BMCPreferences(quirks: [.noRedfish, .slow], powerSettle: .seconds(300)))
        #expect(profile.labels == ["example.com/class": "storage", "gpu": ""])
        #expect(profile.allowedReleases?.map(\.text) == ["talos-1.*", "reference-2"])
        #expect(profile.refusal(of: "talos-1.9.1") == nil && profile.refusal(of: "reference-2") == nil)
        #expect(
            profile.refusal(of: "reference-20")
                == "the hardware profile p does not allow reference-20: it allows talos-1.*, reference-2")
    }

    @Test("a profile that says nothing of it, and short forms")
    func little() throws {
        let nothing = try Self.profile("priority: 1\n")
        #expect(nothing.agentArguments.isEmpty && nothing.wipe == nil && nothing.bmc == BMCPreferences())
        #expect(nothing.labels.isEmpty && nothing.refusal(of: "anything") == nil)
        let short = try Self.profile("console: ttyAMA0,115200\nwipe: {method: quick}\nallowed_releases: []\n")
        #expect(short.consoles.map(\.description) == ["ttyAMA0,115200"])
        #expect(short.wipe == WipePolicy(method: .quick, verify: .sampled, frozen: .fail))
        #expect(short.refusal(of: "x") == "the hardware profile p does not allow x: it allows no release at all")
    }

    @Test(
        "a fault is named with line, column, key and what was probably meant",
        arguments: [
            (
                "console: ttyX1",
                "p.yaml:1:10: console: \"ttyX1\" is no console of Linux: there are tty0, ttyS0 to ttyS9, ttyAMA0 to ttyAMA3, and hvc0 to hvc7"
            ),
            (
                "console: [tty0, \"ttyS1,115000\"]",
                "p.yaml:1:17: console: 115000 is no speed of a serial port: there are 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1500000"
            ),
            ("console: \"hvc0,9600\"", "p.yaml:1:10: console: hvc0 has no speed: write it alone"),
            ("console: [ttyS0, ttyS0]", "p.yaml:1:10: console: each device stands here once"),
            ("console: {a: 1}", "p.yaml:1:10: console: expected a list"),
            (
                "kernel_arguments: [console=ttyS0]\nconsole: ttyS1",
                "p.yaml:1:19: kernel_arguments: the console is said by the key console; the last one of two would win"
            ),
            ("consoles: ttyS1", "p.yaml:1:1: unknown key consoles; did you mean console?"),
            ("deadlines: {wiping: 5s}", "p.yaml:1:21: wiping: 5s is not from 60s to 1209600s"),
            ("wipe: {verify: full}", "p.yaml:1:7: wipe: method is missing, which is one of quick, clear, purge"),
            (
                "wipe: {method: purg}",
                "p.yaml:1:16: method: purg is not one of quick, clear, purge; did you mean purge?"
            ),
            ("wipe: {method: purge, verfy: full}", "p.yaml:1:23: unknown key verfy; did you mean verify?"),
            (
                "wipe: {method: purge, frozen: skip}",
                "p.yaml:1:31: frozen: skip is not one of fail, clear"
            ),
            (
                "bmc:\n  quirks: [slow, cipher-suite-2]",
                "p.yaml:2:18: quirks: cipher-suite-2 is not one of no-redfish, cipher-suite-3, slow; did you mean cipher-suite-3?"
            ),
            ("bmc: {quirks: [slow, slow]}", "p.yaml:1:22: quirks: slow is here twice"),
            (
                "bmc: {power_settle: 300}",
                "p.yaml:1:21: power_settle: 300 is not a time with a unit such as 90s, 5m or 1h"
            ),
            ("bmc: {power_settle: 2h}", "p.yaml:1:21: power_settle: 2h is not from 1s to 3600s"),
            (
                "labels: {a b: c}",
                "p.yaml:1:10: labels: \"a b\" is not a label's key: 1 to 63 letters, digits, '-', '_' and '.', which starts and ends with a letter or digit"
            ),
            (
                "labels: {rack: a/b}",
                "p.yaml:1:10: labels: \"a/b\" is not a label's value: at most 63 letters, digits, '-', '_' and '.', which starts and ends with a letter or digit"
            ),
            ("labels: {a: b, a: c}", "p.yaml:1:10: a is here twice"),
            ("labels: [a]", "p.yaml:1:9: labels: expected `key: value` lines"),
            (
                "allowed_releases: [talos 1]",
                "p.yaml:1:20: allowed_releases: talos 1 is not the name of an OS release, or a pattern of names such as talos-1.*"
            ),
            ("allowed_releases: talos-1", "p.yaml:1:19: allowed_releases: expected a list"),
        ])
    func faults(text: String, message: String) {
        let error = #expect(throws: ProfileFileError.self) { try Self.profile(text + "\n") }
        #expect(error?.description == message)
    }

    @Test(
        "a text from the network has no anchors, nor depth enough to harm",
        arguments: [
            ("match: &a {product: x}\n", "p.yaml:1:8: anchors (&name) are not read here: write it out"),
            ("a: &a [x]\n", "p.yaml:1:4: anchors (&name) are not read here: write it out"),
            ("match: *a\n", "p.yaml:1:8: found undefined alias"),
            (
                "priority: 1\r\nx: [\r\n&a [b],\r\n*a]\r\n",
                "p.yaml:3:1: anchors (&name) are not read here: write it out"
            ),
            ("x: [\r&a [b], *a]", "p.yaml:2:1: anchors (&name) are not read here: write it out"),
            ("x: [\u{85}&a [b], *a]", "p.yaml:1:7: anchors (&name) are not read here: write it out"),
            ("x: [\u{2028}&a [b], *a]", "p.yaml:1:8: anchors (&name) are not read here: write it out"),
            ("\u{feff}&a {any: [*a]}", "p.yaml:1:4: anchors (&name) are not read here: write it out"),
            ("&a {any: [*a]}", "p.yaml:1:1: anchors (&name) are not read here: write it out"),
        ])
    func received(text: String, message: String) throws {
        let error = #expect(throws: ProfileFileError.self) {
            try ProfileDirectory.parse(received: text, file: "p.yaml", name: "p")
        }
        #expect(error?.description == message)
        let harmless = try ProfileDirectory.parse(
            received: "match: {product: /R6 & R&D/}\nallowed_releases: [\"*\"]\n", file: "p.yaml", name: "p")
        #expect(harmless.refusal(of: "anything") == nil)
    }

    @Test("deep and long texts end in an error", arguments: ["[", "{match: ", "- ", "any: [{not: {"])
    func deep(piece: String) {
        for count in [900, 60_000 / piece.utf8.count] {
            let text = "match:\n  any: " + String(repeating: piece, count: count)
            #expect(throws: ProfileFileError.self) {
                try ProfileDirectory.parse(received: text, file: "p.yaml", name: "p")
            }
        }
    }
}
