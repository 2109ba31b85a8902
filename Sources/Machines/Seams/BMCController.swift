/// Controls machines through their BMCs and believes nothing that it has not read back.
///
/// A wire (Redfish, IPMI) does the commands that its protocol has; the others throw ``BMCError`` `unsupported`. Whoever calls a wire gives it one
/// command at a time for each BMC. What is thrown is ``BMCError``, or `CancellationError`.
public protocol BMCController: Sendable {
    func power(of bmc: BMCAccess) async throws -> PowerState
    /// Returns when the chassis reports the state asked for; cycle and reset return when it is on.
    /// A cycle of a chassis that is off turns it on. Cycle and reset are given once: when the answer is lost, what the chassis
    /// reports is looked at, and ``BMCError`` `outcomeUnknown` is thrown if that does not tell.
    func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState
    /// Sets the device of the next boot only.
    /// - Returns: whether the BMC's own answer confirmed it; some cannot be read back.
    func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride
    /// What it is, and of which machine.
    func describe(_ bmc: BMCAccess) async throws -> BMCDescription
    /// The light by which a machine is found in its rack.
    func setIdentifyLight(_ light: IdentifyLight, on bmc: BMCAccess) async throws
    /// What is measured in the machine, now.
    func sensors(of bmc: BMCAccess) async throws -> [SensorReading]
    /// The newest first, ``BMCLogEntry/most`` at most.
    func eventLog(of bmc: BMCAccess) async throws -> [BMCLogEntry]
    /// Returns when the log was read back without the entries of before.
    func clearEventLog(of bmc: BMCAccess) async throws
    /// Programs of the machine's parts and their versions, those that run.
    func firmware(of bmc: BMCAccess) async throws -> [FirmwareComponent]
    /// Puts a virtual CD with the image at `url` into the machine, or takes it out.
    func setVirtualMedia(_ url: String?, on bmc: BMCAccess) async throws
    /// Whether Secure Boot is on.
    func secureBoot(of bmc: BMCAccess) async throws -> SecureBootState
    /// Settings of the firmware by their names, as the BMC has them.
    func biosAttributes(of bmc: BMCAccess) async throws -> [String: String]
    /// Certificates by which the BMC shows that it is itself.
    func certificates(of bmc: BMCAccess) async throws -> [BMCCertificate]
    /// Changes the password of the user of `bmc`, and shows that the new one opens a session. No other user is touched.
    func changePassword(to password: String, on bmc: BMCAccess) async throws
    /// How the BMC's own LAN is set.
    func network(of bmc: BMCAccess) async throws -> BMCNetwork
    /// Sets the BMC's own LAN, and looks for the BMC where it is then.
    /// - Returns: what was read back there.
    /// - Throws: ``BMCError`` `outcomeUnknown` when it is not found any more.
    func setNetwork(_ setting: BMCNetworkSetting, on bmc: BMCAccess) async throws -> BMCNetwork
    /// What happens to a machine from now on, until the BMC does not answer any more.
    func events(of bmc: BMCAccess) -> AsyncThrowingStream<BMCLogEntry, any Error>
    /// Opens the serial console for the time of `body`. Nobody else has it then.
    /// - Parameter takingOver: a console that somebody else has open is ended. Without, that is an error.
    func withConsole(
        of bmc: BMCAccess, takingOver: Bool, _ body: @Sendable (any SerialConsole) async throws -> Void
    ) async throws
}

/// A machine's serial console while it is open.
public protocol SerialConsole: Sendable {
    /// What the machine prints. Throws ``BMCError`` when the BMC is lost, or gives the console to somebody else.
    var output: AsyncThrowingStream<[UInt8], any Error> { get }
    /// Types for the machine. Returns when the BMC took it.
    func send(_ bytes: [UInt8]) async throws
    /// A serial break: a Linux kernel's magic SysRq key.
    func sendBreak() async throws
}

extension BMCController {
    public func power(of bmc: BMCAccess) async throws -> PowerState { .unknown }

    public func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState {
        throw BMCError.unsupported(bmc, "power \(action.rawValue)")
    }

    public func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride {
        throw BMCError.unsupported(bmc, "boot from \(device.rawValue) once")
    }

    public func describe(_ bmc: BMCAccess) async throws -> BMCDescription {
        throw BMCError.unsupported(bmc, "say what it is")
    }

    public func setIdentifyLight(_ light: IdentifyLight, on bmc: BMCAccess) async throws {
        throw BMCError.unsupported(bmc, "switch the identify light")
    }

    public func sensors(of bmc: BMCAccess) async throws -> [SensorReading] {
        throw BMCError.unsupported(bmc, "read sensors")
    }

    public func eventLog(of bmc: BMCAccess) async throws -> [BMCLogEntry] {
        throw BMCError.unsupported(bmc, "read the event log")
    }

    public func clearEventLog(of bmc: BMCAccess) async throws {
        throw BMCError.unsupported(bmc, "clear the event log")
    }

    public func firmware(of bmc: BMCAccess) async throws -> [FirmwareComponent] {
        throw BMCError.unsupported(bmc, "list firmware")
    }

    public func setVirtualMedia(_ url: String?, on bmc: BMCAccess) async throws {
        throw BMCError.unsupported(bmc, "mount virtual media")
    }

    public func secureBoot(of bmc: BMCAccess) async throws -> SecureBootState {
        throw BMCError.unsupported(bmc, "tell the state of Secure Boot")
    }

    public func biosAttributes(of bmc: BMCAccess) async throws -> [String: String] {
        throw BMCError.unsupported(bmc, "read the BIOS attributes")
    }

    public func certificates(of bmc: BMCAccess) async throws -> [BMCCertificate] {
        throw BMCError.unsupported(bmc, "list its certificates")
    }

    public func network(of bmc: BMCAccess) async throws -> BMCNetwork {
        throw BMCError.unsupported(bmc, "tell how its LAN is set")
    }

    public func setNetwork(_ setting: BMCNetworkSetting, on bmc: BMCAccess) async throws -> BMCNetwork {
        throw BMCError.unsupported(bmc, "set its LAN")
    }

    public func changePassword(to password: String, on bmc: BMCAccess) async throws {
        throw BMCError.unsupported(bmc, "change the password")
    }

    /// By the log, every half minute.
    public func events(of bmc: BMCAccess) -> AsyncThrowingStream<BMCLogEntry, any Error> {
        let feed = EventLogFeed { try await eventLog(of: bmc) }
        return AsyncThrowingStream { try await feed.next() }
    }

    /// One that nobody else has open.
    public func withConsole(
        of bmc: BMCAccess, _ body: @Sendable (any SerialConsole) async throws -> Void
    ) async throws {
        try await withConsole(of: bmc, takingOver: false, body)
    }

    public func withConsole(
        of bmc: BMCAccess, takingOver: Bool, _ body: @Sendable (any SerialConsole) async throws -> Void
    ) async throws {
        throw BMCError.unsupported(bmc, "open the serial console")
    }
}

/// Finds out what answers at an address.
public protocol BMCProber: Sendable {
    /// Asks by every protocol at once, first as a stranger. Logs in when there are credentials.
    /// - Parameters:
    ///   - address: an IP address.
    ///   - ports: of protocols that are not at their own.
    ///   - verification: which certificate may see the credentials; at first use it is the one that is shown.
    func probe(
        _ address: String, ports: [BMCKind: Int], credentials: BMCCredentials?, verification: BMCVerification
    ) async -> BMCProbe
}

/// A user of a BMC. Never stored or logged as a whole.
public struct BMCCredentials: Sendable, CustomStringConvertible {
    public var username: String
    public var password: String

    public init(username: String, password: String) { (self.username, self.password) = (username, password) }

    public var description: String { "\(username) (password withheld)" }
}
