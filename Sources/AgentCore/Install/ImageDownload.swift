import Crypto
import Glibc
import Machines
import NetworkAddresses

/// Fetches a file by plain HTTP on a thread of its own, hashing as it goes. A connection that is cut is taken up where it ended.
struct ImageDownload: Sendable {
    let file: KernelOrder.RemoteFile
    let queue: BoundedQueue<[UInt8]>

    static let chunkBytes = 256 << 10
    /// Connections tried without a single byte between them.
    static let patience = 60

    /// Feeds the queue, and closes it once the whole stream has the right SHA-256. Otherwise the work is given up.
    func run() {
        do {
            try stream()
            queue.close()
        } catch {
            queue.fail(error)
        }
    }

    private func stream() throws {
        var hash = SHA256()
        var done: Int64 = 0
        var idle = 0
        while done < file.bytes {
            let before = done
            do {
                try connection(from: done) { chunk in
                    hash.update(data: chunk)
                    done += Int64(chunk.count)
                    guard queue.put(chunk) else { throw InstallError("the install was given up") }
                }
            } catch let error as HTTPFault where error.mayRepeat {
                idle = done > before ? 0 : idle + 1
                guard idle < Self.patience else {
                    throw InstallError("the file cannot be fetched from \(file.url) at byte \(done): \(error.words)")
                }
                sleep(1)
            }
        }
        let found = Credential.hex(Array(hash.finalize()))
        guard found == file.sha256 else {
            throw InstallError("the file from \(file.url) has SHA-256 \(found), not \(file.sha256)")
        }
    }

    private struct HTTPFault: Error {
        var words: String
        var mayRepeat: Bool
    }

    /// One connection: asks for the rest of the image and hands on what comes.
    private func connection(from start: Int64, _ take: ([UInt8]) throws -> Void) throws {
        let (host, port, path) = try Self.parts(of: file.url)
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw HTTPFault(words: String(cString: strerror(errno)), mayRepeat: true) }
        defer { close(socket) }
        var patience = timeval(tv_sec: 15, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port.bigEndian)
        address.sin_addr.s_addr = host.rawValue.bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw HTTPFault(words: String(cString: strerror(errno)), mayRepeat: true) }
        let request =
            "GET \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nRange: bytes=\(start)-\r\nConnection: close\r\n\r\n"
        guard send(socket, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
            throw HTTPFault(words: "the request cannot be sent", mayRepeat: true)
        }
        var body = try head(socket, from: start)
        var left = file.bytes - start
        while left > 0 {
            if body.isEmpty {
                body = [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { buffer, count in
                    count = max(0, recv(socket, buffer.baseAddress, buffer.count, 0))
                }
                guard !body.isEmpty else { throw HTTPFault(words: "the connection ended early", mayRepeat: true) }
            }
            if Int64(body.count) > left { body.removeLast(body.count - Int(left)) }
            left -= Int64(body.count)
            try take(body)
            body = []
        }
    }

    /// Reads the answer's head; returns what of the body came with it.
    private func head(_ socket: Int32, from start: Int64) throws -> [UInt8] {
        var received: [UInt8] = []
        while received.count < 16 << 10 {
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = recv(socket, &chunk, chunk.count, 0)
            guard count > 0 else { throw HTTPFault(words: "no answer", mayRepeat: true) }
            received += chunk.prefix(count)
            guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
            let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
            let status = lines.first?.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            switch status {
            case "206": break
            case "200" where start == 0: break
            case "200": throw HTTPFault(words: "the server does not resume", mayRepeat: false)
            default:
                throw HTTPFault(
                    words: "the server answered \(status)", mayRepeat: status.hasPrefix("5") || status == "404")
            }
            return Array(received[end.upperBound...])
        }
        throw HTTPFault(words: "the answer's head is too long", mayRepeat: false)
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
