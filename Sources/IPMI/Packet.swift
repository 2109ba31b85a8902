import WireBytes

/// Payload types of RMCP+ (table 13-16). Open.
struct PayloadType: RawRepresentable, Hashable, Sendable {
    var rawValue: UInt8

    static let ipmi = Self(rawValue: 0x00)
    static let console = Self(rawValue: 0x01)
    static let openSessionRequest = Self(rawValue: 0x10)
    static let openSessionResponse = Self(rawValue: 0x11)
    static let rakp1 = Self(rawValue: 0x12)
    static let rakp2 = Self(rawValue: 0x13)
    static let rakp3 = Self(rawValue: 0x14)
    static let rakp4 = Self(rawValue: 0x15)
}

/// An RMCP+ datagram (§13.6): RMCP header, session header, payload, and the trailer when it is authenticated.
struct Packet {
    static let rmcpHeader: [UInt8] = [0x06, 0x00, 0xff, 0x07]

    var payloadType: PayloadType
    var isEncrypted: Bool
    var isAuthenticated: Bool
    var sessionID: UInt32
    var sequence: UInt32
    var payload: [UInt8]
    /// All that the authentication code covers, and the code; empty when not authenticated.
    var covered: [UInt8]
    var code: [UInt8]

    /// Nil for whatever is no RMCP+ datagram.
    init?(parsing datagram: [UInt8]) {
        var reader = ByteReader(datagram)
        do {
            guard try reader.take(4, "RMCP header") == Self.rmcpHeader, try reader.uint8("authentication type") == 0x06
            else {
                return nil
            }
            let type = try reader.uint8("payload type")
            payloadType = PayloadType(rawValue: type & 0x3f)
            (isEncrypted, isAuthenticated) = (type & 0x80 != 0, type & 0x40 != 0)
            sessionID = try reader.uint32LE("session id")
            sequence = try reader.uint32LE("sequence number")
            payload = try reader.take(Int(try reader.uint16LE("payload length")), "payload")
        } catch {
            return nil
        }
        (covered, code) = ([], [])
        guard isAuthenticated else { return }
        // Pad bytes FFh up to a multiple of four, their count, next header 07h, then the code.
        let head = datagram.count - reader.remaining
        let unpadded = head - Self.rmcpHeader.count + 2
        let pad = (4 - unpadded % 4) % 4
        let end = head + pad + 2
        guard end <= datagram.count, datagram[end - 2] == UInt8(pad), datagram[end - 1] == 0x07 else { return nil }
        covered = Array(datagram[Self.rmcpHeader.count..<end])
        code = Array(datagram[end...])
    }

    /// A datagram outside a session.
    static func unprotected(_ type: PayloadType, _ payload: [UInt8]) -> [UInt8] {
        rmcpHeader + header(type.rawValue, session: 0, sequence: 0, length: payload.count) + payload
    }

    static func header(_ type: UInt8, session: UInt32, sequence: UInt32, length: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.append([0x06, type])
        writer.uint32LE(session)
        writer.uint32LE(sequence)
        writer.uint16LE(UInt16(clamping: length))
        return writer.bytes
    }
}
