import WireBytes

/// What can be asked before a session is opened.
public enum Probing {
    /// An IPMI 1.5 datagram outside a session (table 13-8): it is what every BMC understands.
    public static func datagram(_ request: Request) -> [UInt8] {
        let message = request.message(sequence: 0)
        return Packet.rmcpHeader + Array(repeating: 0, count: 9) + [UInt8(clamping: message.count)] + message
    }

    /// The response in a datagram outside a session, in an envelope of IPMI 1.5 or 2.0; nil for whatever else comes.
    public static func response(_ datagram: [UInt8], to request: Request) -> Response? {
        guard let message = message(datagram), let response = Response(message: message),
            response.command == request.command, response.function == request.function.rawValue | 1
        else { return nil }
        return response
    }

    private static func message(_ datagram: [UInt8]) -> [UInt8]? {
        if let packet = Packet(parsing: datagram) {
            return packet.payloadType == .ipmi && !packet.isEncrypted && packet.sessionID == 0 ? packet.payload : nil
        }
        var reader = ByteReader(datagram)
        guard (try? reader.take(4, "RMCP header")) == Packet.rmcpHeader,
            (try? reader.take(9, "session header")) == Array(repeating: 0, count: 9),
            let length = try? reader.uint8("length")
        else { return nil }
        // pyghmi's server says one more than there is.
        return Array(reader.rest().prefix(Int(length)))
    }
}

extension Request {
    /// §22.13: for an administrator, with the answer of IPMI 2.0, on the channel that the question comes by.
    public static let authenticationCapabilities = Request(
        "channel authentication capabilities", .application, 0x38, data: [0x8e, 0x04])

    /// §22.15: the list of the channel that the question comes by, 16 bytes at once.
    public static func cipherSuites(part: UInt8) -> Request {
        Request("channel cipher suites", .application, 0x54, data: [0x0e, 0x00, 0x80 | part & 0x3f])
    }
}

/// The answer to ``Request/authenticationCapabilities`` (table 22-15).
public struct AuthenticationCapabilities: Equatable, Sendable {
    public var channel: UInt8
    /// Sessions of IPMI 2.0; else only those of 1.5.
    public var hasIPMI2: Bool
    /// Users without a name may log in with or without a password; both are open doors.
    public var allowsNamelessUsers: Bool
    public var allowsNamelessWithoutPassword: Bool
    /// A session without a password at all (type "none" of IPMI 1.5).
    /// Anybody may do what its user may.
    public var allowsNoAuthentication: Bool
    /// A second key beside the password is needed.
    public var needsBMCKey: Bool

    public init?(answer: [UInt8]) {
        guard answer.count >= 4 else { return nil }
        channel = answer[0] & 0x0f
        let extended = answer[1] & 0x80 != 0
        hasIPMI2 = extended && answer[3] & 0x02 != 0
        allowsNamelessUsers = answer[2] & 0x02 != 0
        allowsNamelessWithoutPassword = answer[2] & 0x01 != 0
        allowsNoAuthentication = answer[1] & 0x01 != 0
        needsBMCKey = extended && answer[2] & 0x20 != 0
    }
}

/// Reads which cipher suites a BMC offers (§22.15.1): records that begin with C0h or C1h.
public enum CipherSuiteList {
    /// - Parameter records: the answers' data without their channel bytes, joined.
    public static func numbers(_ records: [UInt8]) -> [UInt8] {
        var numbers: [UInt8] = []
        var rest = records[...]
        while let tag = rest.popFirst() {
            guard tag == 0xc0 || tag == 0xc1, let number = rest.popFirst() else { continue }
            // An OEM's suite has its enterprise number; that is none of ours.
            if tag == 0xc1 { rest = rest.dropFirst(3) } else { numbers.append(number) }
            // Its algorithms' tags have other top bits.
            while let next = rest.first, next < 0xc0 { rest = rest.dropFirst() }
        }
        return numbers
    }
}
