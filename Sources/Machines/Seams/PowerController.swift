/// What a chassis reports of its power.
public enum PowerState: String, Codable, Sendable { case on, off, unknown }

/// The control verbs a person or a controller can ask of a chassis.
public enum PowerAction: String, Codable, Sendable, CaseIterable {
    case on, off, cycle, reset
}

/// The device the next boot is to start from.
public enum BootDevice: String, Codable, Sendable { case network, disk }

/// Where a BMC is and how to log in. Never stored or logged as a whole: the password comes from the secret store for one use.
public struct BMCAccess: Sendable, CustomStringConvertible {
    public var address: String
    /// UDP port, normally 623.
    public var port: Int
    public var username: String
    public var password: String

    public init(address: String, port: Int = 623, username: String, password: String) {
        (self.address, self.port, self.username, self.password) = (address, port, username, password)
    }

    public var description: String { "\(username)@\(address):\(port)" }
}

/// Controls machines through their BMCs and believes nothing it has not read back.
public protocol PowerController: Sendable {
    func power(of bmc: BMCAccess) async throws -> PowerState
    /// Returns when the chassis reports the state asked for; cycle and reset return when it is on.
    /// A cycle of a chassis that is off turns it on.
    func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState
    /// Sets the device of the next boot only.
    /// - Returns: whether the BMC's own answer confirmed it; some cannot be read back.
    func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride
}

/// What became of a boot override.
public enum BootOverride: String, Codable, Sendable {
    /// Read back as asked.
    case confirmed
    /// Accepted, but this BMC's answer does not tell.
    case unverifiable
}
