/// What a chassis reports of its power.
public enum PowerState: String, Codable, Sendable { case on, off, unknown }

/// The control verbs a person or a controller can ask of a chassis.
public enum PowerAction: String, Codable, Sendable, CaseIterable {
    case on, off, cycle, reset
}

/// The device the next boot is to start from.
public enum BootDevice: String, Codable, Sendable { case network, disk }

/// What became of a boot override.
public enum BootOverride: String, Codable, Sendable {
    /// Read back as asked.
    case confirmed
    /// Accepted, but this BMC's answer does not tell.
    case unverifiable
}

/// The light by which a machine is found in its rack.
public enum IdentifyLight: String, Codable, Sendable, CaseIterable {
    case off
    /// For a quarter of a minute or so, where the BMC counts; until told otherwise where it does not.
    case briefly
    case on
}
