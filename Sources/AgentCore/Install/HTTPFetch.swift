import Glibc
import NetworkAddresses

/// One request for a file, or for the rest of it, by plain HTTP over a socket that blocks.
struct HTTPFetch: ~Copyable {
    private let socket: Int32
    let head: HTTPHead
    /// What of the body came with the head.
    private var early: ArraySlice<UInt8>

    /// It was not answered, or not to the end.
    struct Fault: Error {
        var words: String
    }

    /// Seconds of silence after which a connection is given up. Where very many share a little, each waits for its turn.
    private static let patience = 30

    /// Asks, and reads the head of the answer.
    /// - Parameters:
    ///   - start: the first byte that is wanted.
    ///   - tag: of the file whose bytes are there; another one is sent whole (RFC 9110 §13.1.5).
    /// - Throws: ``Fault``; ``InstallError`` for a URL that cannot be asked.
    init(_ url: String, from start: Int64, tag: String?) throws {
        let (host, port, path) = try Self.parts(of: url)
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Fault(words: String(cString: strerror(errno))) }
        do {
            try Self.connect(socket, to: host, port)
            var request = "GET \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nConnection: close\r\n"
            if start > 0 { request += "Range: bytes=\(start)-\r\n" }
            if start > 0, let tag { request += "If-Range: \(tag)\r\n" }
            request += "\r\n"
            guard send(socket, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
                throw Fault(words: "the request cannot be sent")
            }
            (head, early) = try Self.head(socket)
        } catch {
            close(socket)
            throw error
        }
        self.socket = socket
    }

    deinit { close(socket) }

    /// The next bytes, at most so many.
    /// - Throws: ``Fault`` when the connection ended or says nothing any more.
    mutating func read(atMost count: Int) throws -> [UInt8] {
        if !early.isEmpty {
            defer { early = early.dropFirst(count) }
            return Array(early.prefix(count))
        }
        let socket = socket
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_WAITALL)))
        }
        guard !bytes.isEmpty else { throw Fault(words: "the connection ended early") }
        return bytes
    }

    private static func connect(_ socket: Int32, to host: IPv4Address, _ port: UInt16) throws {
        var patience = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port.bigEndian)
        address.sin_addr.s_addr = host.rawValue.bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Fault(words: String(cString: strerror(errno))) }
    }

    private static func head(_ socket: Int32) throws -> (HTTPHead, ArraySlice<UInt8>) {
        var received: [UInt8] = []
        while received.count < 16 << 10 {
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = recv(socket, &chunk, chunk.count, 0)
            guard count > 0 else { throw Fault(words: "no answer") }
            received += chunk.prefix(count)
            guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
            guard let head = HTTPHead(String(decoding: received[..<end.lowerBound], as: UTF8.self)) else { break }
            return (head, received[end.upperBound...])
        }
        throw Fault(words: "the answer is no HTTP")
    }

    static func parts(of url: String) throws -> (IPv4Address, UInt16, String) {
        guard url.hasPrefix("http://") else { throw InstallError("\(url) is not an http URL") }
        let rest = url.dropFirst("http://".count)
        guard let slash = rest.firstIndex(of: "/") else { throw InstallError("\(url) has no path") }
        let authority = rest[..<slash].split(separator: ":")
        guard let host = authority.first.flatMap({ IPv4Address(String($0)) }),
            let port = authority.count == 2 ? UInt16(authority[1]) : 80
        else { throw InstallError("\(url): the host must be an IPv4 address") }
        return (host, port, String(rest[slash...]))
    }
}
