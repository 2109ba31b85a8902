import Glibc
import NIOCore
import TFTP

/// Fetches the beginning of a boot file from this daemon's own servers, as a machine would: whatever stands between a socket and a
/// file is tried. Blocks for two seconds at most.
public enum FetchProbe {
    static let seconds = 2

    /// - Returns: nil when the file comes, or what came instead.
    public static func tftp(_ file: String, at address: String, port: Int) -> String? {
        exchange(SOCK_DGRAM, address, port, Packet.readRequest(ReadRequest(file: file)).encoded) { answer in
            switch try? Packet(parsing: answer) {
            case .data(block: 1, _): nil
            case .error(let code, let message): "error \(code.rawValue), \(message)"
            default: "something else than a file"
            }
        }
    }

    /// - Returns: nil when the answer is 200, or what came instead.
    public static func http(_ path: String, at address: String, port: Int) -> String? {
        let request = "HEAD \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n"
        return exchange(SOCK_STREAM, address, port, Array(request.utf8)) { answer in
            let line = String(decoding: answer.prefix { $0 != 0x0d }.prefix(80), as: UTF8.self)
            return line.hasPrefix("HTTP/1.1 200") ? nil : line
        }
    }

    private static func exchange(
        _ type: __socket_type, _ address: String, _ port: Int, _ request: [UInt8], _ judge: ([UInt8]) -> String?
    ) -> String? {
        guard let server = try? SocketAddress(ipAddress: address, port: port) else { return "\(address) is no address" }
        let family = server.protocol == .inet6 ? AF_INET6 : AF_INET
        let socket = socket(family, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return words(errno) }
        defer { close(socket) }
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        // TFTP answers from another port than the one that was asked, which a connected socket would not hear.
        let isStream = type.rawValue == SOCK_STREAM.rawValue
        let sent = server.withSockAddr { pointer, size -> Int in
            guard isStream else { return sendto(socket, request, request.count, 0, pointer, socklen_t(size)) }
            return connect(socket, pointer, socklen_t(size)) == 0 ? send(socket, request, request.count, 0) : -1
        }
        guard sent == request.count else { return words(errno) }
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return errno == EAGAIN ? "no answer in \(seconds) s" : words(errno) }
        return judge(Array(buffer[..<count]))
    }

    private static func words(_ number: Int32) -> String { String(cString: strerror(number)) }
}
