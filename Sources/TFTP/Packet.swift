import WireBytes

/// A TFTP packet (RFC 1350 §5, RFC 2347).
public enum Packet: Equatable, Sendable {
    case readRequest(ReadRequest)
    case writeRequest
    case data(block: UInt16, [UInt8])
    case acknowledgment(block: UInt16)
    case error(ErrorCode, String)
    case optionAcknowledgment([(name: String, value: String)])

    public static func == (left: Packet, right: Packet) -> Bool { left.encoded == right.encoded }

    /// Reads one datagram.
    /// - Throws: ``PacketError``.
    public init(parsing bytes: some Sequence<UInt8>) throws(PacketError) {
        var reader = ByteReader(bytes)
        do {
            switch try reader.uint16("opcode") {
            case 1: self = .readRequest(try ReadRequest(parsing: reader.rest()))
            case 2: self = .writeRequest
            case 3: self = .data(block: try reader.uint16("block"), reader.rest())
            case 4: self = .acknowledgment(block: try reader.uint16("block"))
            case 5:
                let code = ErrorCode(rawValue: try reader.uint16("error code"))
                self = .error(code, String(decoding: reader.rest().prefix { $0 != 0 }, as: UTF8.self))
            case 6: self = .optionAcknowledgment(try ReadRequest.options(ReadRequest.strings(reader.rest())))
            case let opcode: throw PacketError.badOpcode(opcode)
            }
        } catch let error as PacketError {
            throw error
        } catch {
            throw .truncated("\(error)")
        }
    }

    public var encoded: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .readRequest(let request):
            writer.uint16(1)
            writer.append(
                Self.strings([request.file, request.mode] + request.options.flatMap { [$0.name, $0.value] }))
        case .writeRequest: writer.uint16(2)
        case .data(let block, let bytes):
            writer.uint16(3)
            writer.uint16(block)
            writer.append(bytes)
        case .acknowledgment(let block):
            writer.uint16(4)
            writer.uint16(block)
        case .error(let code, let message):
            writer.uint16(5)
            writer.uint16(code.rawValue)
            writer.append(Self.strings([message]))
        case .optionAcknowledgment(let options):
            writer.uint16(6)
            writer.append(Self.strings(options.flatMap { [$0.name, $0.value] }))
        }
        return writer.bytes
    }

    private static func strings(_ texts: [String]) -> [UInt8] { texts.flatMap { Array($0.utf8) + [0] } }
}

/// A read request with its options (RFC 2347), in the order in which they came.
public struct ReadRequest: Equatable, Sendable {
    public var file: String
    /// `octet`, `netascii` or `mail`, in lower case.
    public var mode: String
    public var options: [(name: String, value: String)]

    public init(file: String, mode: String = "octet", options: [(name: String, value: String)] = []) {
        (self.file, self.mode, self.options) = (file, mode, options)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.file == right.file && left.mode == right.mode
            && left.options.elementsEqual(right.options) { $0.name == $1.name && $0.value == $1.value }
    }

    init(parsing bytes: [UInt8]) throws(PacketError) {
        let strings = try Self.strings(bytes)
        guard strings.count >= 2 else { throw .truncated("file name and mode") }
        (file, mode) = (strings[0], strings[1].lowercased())
        options = Self.options(Array(strings.dropFirst(2)))
    }

    /// NUL-terminated strings. A last one without NUL is an error; some ROMs pad the datagram with NULs, which are passed over.
    static func strings(_ bytes: [UInt8]) throws(PacketError) -> [String] {
        var rest = bytes[...]
        while rest.count > 1, rest.last == 0, rest.dropLast().last == 0 { rest = rest.dropLast() }
        guard !rest.isEmpty else { return [] }
        guard rest.last == 0 else { throw .truncated("a string without its NUL") }
        return rest.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Pairs; a name without a value is left out.
    static func options(_ strings: [String]) -> [(name: String, value: String)] {
        stride(from: 0, to: strings.count - 1, by: 2).map { (strings[$0].lowercased(), strings[$0 + 1]) }
    }
}

/// RFC 1350 §5, RFC 2347. Open.
public struct ErrorCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let undefined = Self(rawValue: 0)
    public static let fileNotFound = Self(rawValue: 1)
    public static let accessViolation = Self(rawValue: 2)
    public static let illegalOperation = Self(rawValue: 4)
    public static let unknownTransfer = Self(rawValue: 5)
    /// Also how firmware ends a request that it made only to learn the size.
    public static let optionsRefused = Self(rawValue: 8)
}

/// Why a datagram is no TFTP packet.
public enum PacketError: Error, Equatable, CustomStringConvertible {
    case truncated(String)
    case badOpcode(UInt16)

    public var description: String {
        switch self {
        case .truncated(let what): "the packet ends before \(what) does"
        case .badOpcode(let opcode): "opcode \(opcode) is not one of TFTP's"
        }
    }
}
