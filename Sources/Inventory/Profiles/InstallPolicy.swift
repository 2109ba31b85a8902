/// How much of a written disk is read again, past the page cache, and compared.
public enum ReadBack: String, Codable, Sendable, CaseIterable { case none, sampled, full }

/// What the firmware tries first after an install.
public enum BootOrder: String, Codable, Sendable, CaseIterable {
    case networkFirst = "network-first"
    case diskFirst = "disk-first"
}
