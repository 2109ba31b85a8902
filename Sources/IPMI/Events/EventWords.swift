/// How much an event or a state matters.
public enum EventSeverity: Int, Comparable, Sendable {
    case ok, warning, critical

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What the offsets of events and states mean (tables 42-1, 42-2, 42-3).
enum EventWords {
    /// What a sensor of this type measures or watches (table 42-3).
    static func sensorType(_ type: UInt8) -> String {
        if let name = sensorTypes[type] { return name }
        return type >= 0xc0 ? "OEM \(hex([type]))h" : "sensor type \(hex([type]))h"
    }

    static func state(sensorType: UInt8, eventType: UInt8, offset: UInt8) -> (words: String, severity: EventSeverity) {
        let table: [String]? =
            switch eventType {
            case 0x01: thresholds
            case 0x02...0x0c: generic[eventType]
            case 0x6f: specific[sensorType]
            default: nil
            }
        guard let table, Int(offset) < table.count else { return ("state \(offset)", .ok) }
        let text = table[Int(offset)]
        return switch text.first {
        case "!": (String(text.dropFirst()), .critical)
        case "?": (String(text.dropFirst()), .warning)
        default: (text, .ok)
        }
    }

    // In all tables: a leading ! is critical, a leading ? a warning.

    /// Table 42-2, type 01h.
    static let thresholds = [
        "?lower non-critical going low", "?lower non-critical going high", "!lower critical going low",
        "!lower critical going high", "!lower non-recoverable going low", "!lower non-recoverable going high",
        "?upper non-critical going low", "?upper non-critical going high", "!upper critical going low",
        "!upper critical going high", "!upper non-recoverable going low", "!upper non-recoverable going high",
    ]

    /// Table 42-2, types 02h to 0Ch.
    static let generic: [UInt8: [String]] = [
        0x02: ["idle", "active", "busy"],
        0x03: ["deasserted", "asserted"],
        0x04: ["no predictive failure", "?predictive failure"],
        0x05: ["limit not exceeded", "?limit exceeded"],
        0x06: ["performance met", "?performance lags"],
        0x07: [
            "ok", "?non-critical, from ok", "!critical, from less severe", "!non-recoverable, from less severe",
            "?non-critical, from more severe", "!critical, from non-recoverable", "!non-recoverable", "monitor",
            "informational",
        ],
        0x08: ["absent", "present"],
        0x09: ["disabled", "enabled"],
        0x0a: [
            "running", "in test", "power off", "on line", "off line", "off duty", "?degraded", "power save",
            "?install error",
        ],
        0x0b: [
            "fully redundant", "?redundancy lost", "?redundancy degraded", "?non-redundant, from redundant",
            "?non-redundant, from insufficient", "!non-redundant, insufficient resources",
            "?degraded, from fully redundant", "?degraded, from non-redundant",
        ],
        0x0c: ["power state D0", "power state D1", "power state D2", "power state D3"],
    ]

    static let sensorTypes: [UInt8: String] = [
        0x01: "temperature", 0x02: "voltage", 0x03: "current", 0x04: "fan", 0x05: "intrusion", 0x06: "security",
        0x07: "processor", 0x08: "power supply", 0x09: "power unit", 0x0a: "cooling device", 0x0b: "other units",
        0x0c: "memory", 0x0d: "drive slot", 0x0e: "memory resize", 0x0f: "firmware progress", 0x10: "event log",
        0x11: "watchdog", 0x12: "system event", 0x13: "critical interrupt", 0x14: "button", 0x15: "board",
        0x16: "microcontroller", 0x17: "add-in card", 0x18: "chassis", 0x19: "chip set", 0x1a: "other FRU",
        0x1b: "cable", 0x1c: "terminator", 0x1d: "system boot", 0x1e: "boot error", 0x1f: "OS boot",
        0x20: "OS stop", 0x21: "slot", 0x22: "ACPI power state", 0x23: "watchdog", 0x24: "platform alert",
        0x25: "entity presence", 0x26: "monitor ASIC", 0x27: "LAN", 0x28: "management subsystem", 0x29: "battery",
        0x2a: "session audit", 0x2b: "version change", 0x2c: "FRU state",
    ]

    /// Table 42-3, event type 6Fh.
    static let specific: [UInt8: [String]] = [
        0x05: [
            "?chassis intrusion", "?drive bay intrusion", "?card area intrusion", "?processor area intrusion",
            "?LAN leash lost", "?unauthorized dock", "?fan area intrusion",
        ],
        0x06: [
            "?secure mode violation", "?user password violation", "?setup password violation",
            "?network boot password violation", "?other password violation", "?out-of-band password violation",
        ],
        0x07: [
            "!internal error", "!thermal trip", "!self test failed", "!hang in POST", "!startup failed",
            "!configuration error", "!uncorrectable error in its SMBIOS record", "present", "?disabled",
            "terminator present", "?throttled", "!uncorrectable machine check", "?correctable machine check",
        ],
        0x08: [
            "present", "!failed", "?failure predicted", "!input lost", "!input lost or out of range",
            "?input out of range", "!configuration error", "on standby",
        ],
        0x09: [
            "power off", "power cycle", "240 VA power down", "interlock power down", "!AC lost",
            "!soft power control failed", "!failed", "?failure predicted",
        ],
        0x0c: [
            "?correctable ECC", "!uncorrectable ECC", "!parity", "!scrub failed", "!disabled",
            "?correctable ECC limit reached", "present", "!configuration error", "spare in use", "?throttled",
            "!critically hot",
        ],
        0x0d: [
            "present", "!fault", "?failure predicted", "hot spare", "consistency check", "!in critical array",
            "!in failed array", "rebuilding", "?rebuild aborted",
        ],
        0x0f: ["!POST error", "!firmware hang", "progress"],
        0x10: [
            "?correctable memory errors not logged", "event type not logged", "log cleared", "?all logging disabled",
            "?log full", "?log almost full", "?correctable machine checks not logged",
        ],
        0x11: [
            "?BIOS reset", "!OS reset", "!OS shutdown", "!OS power down", "!OS power cycle", "!OS NMI",
            "?OS expired", "?OS pre-timeout interrupt",
        ],
        0x12: [
            "reconfigured", "OEM boot event", "!undetermined hardware failure", "auxiliary log entry", "PEF action",
            "clock synchronized",
        ],
        0x13: [
            "!front panel NMI", "!bus timeout", "!I/O NMI", "!software NMI", "!PCI PERR", "!PCI SERR",
            "!EISA fail-safe timeout", "?bus correctable error", "!bus uncorrectable error", "!fatal NMI",
            "!bus fatal error", "?bus degraded",
        ],
        0x14: ["power button", "sleep button", "reset button", "FRU latch open", "FRU service request"],
        0x19: ["?soft power control failed", "!thermal trip"],
        0x1b: ["connected", "?configuration error"],
        0x1d: [
            "by power up", "by hard reset", "by warm reset", "by network boot", "by diagnostics", "by OS reset",
            "restart", "by system restart",
        ],
        0x1e: [
            "?no bootable media", "?no diskette", "?network boot server not found", "?invalid boot sector",
            "?boot selection timed out",
        ],
        0x1f: [
            "A: boot done", "C: boot done", "network boot done", "diagnostics boot done", "CD boot done",
            "ROM boot done", "boot done", "OS install started", "OS install done", "?OS install aborted",
            "?OS install failed",
        ],
        0x20: [
            "!stop while loading", "!stop at run time", "graceful stop", "graceful shutdown", "soft shutdown by PEF",
            "?agent not responding",
        ],
        0x21: [
            "!fault", "identify", "installed", "ready for installation", "ready for removal", "power off",
            "removal requested", "interlocked", "disabled", "spare",
        ],
        0x22: [
            "S0/G0 working", "S1 sleeping", "S2 sleeping", "S3 sleeping", "S4 suspended to disk", "S5/G2 soft off",
            "S4/S5 soft off", "G3 mechanical off", "sleeping", "G1 sleeping", "S5 by override", "legacy on",
            "legacy off",
        ],
        0x23: ["?expired", "!hard reset", "!power down", "!power cycle", "", "", "", "", "?timer interrupt"],
        0x24: ["page sent", "LAN alert sent", "event trap sent", "SNMP trap sent"],
        0x25: ["present", "?absent", "disabled"],
        0x27: ["?heartbeat lost", "heartbeat"],
        0x28: [
            "?sensor access degraded", "?controller access degraded", "!controller off line",
            "!controller unavailable", "?sensor failed", "?FRU failed",
        ],
        0x29: ["?low", "!failed", "present"],
        0x2a: ["session opened", "session closed", "?invalid user or password", "?invalid password, locked out"],
        0x2b: [
            "hardware changed", "firmware changed", "?hardware incompatible", "?firmware incompatible",
            "!invalid hardware version", "!invalid firmware version", "hardware change done", "firmware change done",
        ],
        0x2c: [
            "not installed", "inactive", "activation requested", "activating", "active", "deactivation requested",
            "deactivating", "?communication lost",
        ],
    ]
}

extension SensorRecord {
    /// `temperature`, `fan`, `power supply`: table 42-3.
    public var kind: String {
        // Power and percentages are "other units" in most BMCs.
        if sensorType == 0x0b || sensorType == 0x03, unit.symbol == "W" { return "power" }
        return EventWords.sensorType(sensorType)
    }
}
