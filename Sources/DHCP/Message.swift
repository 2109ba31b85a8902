import NetworkAddresses
import WireBytes

/// A DHCP message: the BOOTP header of RFC 2131 §2 and the options of RFC 2132.
///
///     op(1) htype(1) hlen(1) hops(1) xid(4) secs(2) flags(2) ciaddr(4) yiaddr(4) siaddr(4) giaddr(4)
///     chaddr(16) sname(64) file(128) cookie(4) options…
public struct Message: Equatable, Sendable {
    /// 1 from clients, 2 from servers.
    public enum Operation: UInt8, Sendable { case request = 1, reply = 2 }

    public var operation: Operation
    /// 1: Ethernet.
    public var hardwareType: UInt8 = 1
    public var hops: UInt8 = 0
    public var xid: UInt32
    /// Seconds since the client began.
    public var secs: UInt16 = 0
    public var flags: UInt16 = 0
    public var ciaddr = IPv4Address.unspecified
    public var yiaddr = IPv4Address.unspecified
    public var siaddr = IPv4Address.unspecified
    public var giaddr = IPv4Address.unspecified
    /// `hlen` bytes, at most 16.
    public var chaddr: [UInt8]
    /// Server host name, at most 63 bytes; empty when the field holds options.
    public var sname: [UInt8] = []
    /// Boot file name, at most 127 bytes; empty when the field holds options.
    public var file: [UInt8] = []
    public var options = Options()

    public init(operation: Operation, xid: UInt32, chaddr: [UInt8]) {
        (self.operation, self.xid, self.chaddr) = (operation, xid, chaddr)
    }

    /// Reads a whole UDP payload.
    /// - Throws: ``MessageError``; whatever the bytes, it never traps.
    public init(parsing bytes: some Sequence<UInt8>) throws(MessageError) {
        var reader = ByteReader(bytes)
        do {
            let op = try reader.uint8("op")
            guard let operation = Operation(rawValue: op) else { throw MessageError.badField("op", Int(op)) }
            self.operation = operation
            hardwareType = try reader.uint8("htype")
            let length = Int(try reader.uint8("hlen"))
            guard length <= 16 else { throw MessageError.badField("hlen", length) }
            hops = try reader.uint8("hops")
            xid = try reader.uint32("xid")
            secs = try reader.uint16("secs")
            flags = try reader.uint16("flags")
            ciaddr = IPv4Address(rawValue: try reader.uint32("ciaddr"))
            yiaddr = IPv4Address(rawValue: try reader.uint32("yiaddr"))
            siaddr = IPv4Address(rawValue: try reader.uint32("siaddr"))
            giaddr = IPv4Address(rawValue: try reader.uint32("giaddr"))
            chaddr = Array(try reader.slice(16, "chaddr").prefix(length))
            let snameField = try reader.slice(64, "sname")
            let fileField = try reader.slice(128, "file")
            let cookie = try reader.uint32("magic cookie")
            guard cookie == Self.magicCookie else { throw MessageError.notDHCP(cookie: cookie) }
            try options.append(parsing: reader.restSlice())
            // RFC 2131 §4.1: file is read before sname.
            let overload = options.value(.overload)?.first ?? 0
            options[.overload] = nil
            if overload & 1 != 0 { try options.append(parsing: fileField) } else { file = Self.text(fileField) }
            if overload & 2 != 0 { try options.append(parsing: snameField) } else { sname = Self.text(snameField) }
            // One inside these fields would mean nothing, and would be written into an area where it means something.
            options[.overload] = nil
        } catch let error as WireError {
            throw .truncated(error)
        } catch let error as OptionsError {
            throw .badOptions(error)
        } catch let error as MessageError {
            throw error
        } catch {
            // No other error is thrown above; the compiler cannot see it.
            throw .badField("message", 0)
        }
    }

    /// The whole UDP payload, at least 300 bytes: some BOOTP relays and firmwares drop shorter ones (RFC 1542 §2.1).
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 512)
        writer.uint8(operation.rawValue)
        writer.uint8(hardwareType)
        writer.uint8(UInt8(min(chaddr.count, 16)))
        writer.uint8(hops)
        writer.uint32(xid)
        writer.uint16(secs)
        writer.uint16(flags)
        writer.uint32(ciaddr.rawValue)
        writer.uint32(yiaddr.rawValue)
        writer.uint32(siaddr.rawValue)
        writer.uint32(giaddr.rawValue)
        writer.fixed(chaddr, 16)
        writer.fixed(sname.prefix(63), 64)
        writer.fixed(file.prefix(127), 128)
        writer.uint32(Self.magicCookie)
        options.write(to: &writer)
        writer.uint8(OptionCode.end.rawValue)
        writer.fixed(EmptyCollection(), max(0, 300 - writer.count))
        return writer.bytes
    }

    /// 99.130.83.99 (RFC 2131 §3).
    static let magicCookie: UInt32 = 0x6382_5363
    /// The client cannot take unicast before it has an address.
    public static let broadcastFlag: UInt16 = 0x8000

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }
}

/// Why a payload is no DHCP message.
public enum MessageError: Error, CustomStringConvertible {
    case truncated(WireError)
    case badField(String, Int)
    case notDHCP(cookie: UInt32)
    case badOptions(OptionsError)

    public var description: String {
        switch self {
        case .truncated(let error): "\(error)"
        case .badField(let name, let value): "\(name) is \(value)"
        case .notDHCP(let cookie): "the magic cookie is \(String(cookie, radix: 16)): plain BOOTP or something else"
        case .badOptions(let error): "\(error)"
        }
    }
}
