import Glibc
import NIOCore
import NetworkAddresses
import Synchronization

/// Lines for a person at the machine's screen or serial port.
public enum Console {
    /// One line, with the seconds since the kernel started.
    public static func say(_ text: String) {
        let line = "slipway-agent [\(uptimeText)] \(text)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        forward("<14>slipway-agent: \(text)")
    }

    /// Whatever is said from now on goes to a syslog server too.
    public static func forward(to server: NetworkAddresses.IPv4Address, port: UInt16) {
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard let address = try? SocketAddress(ipAddress: server.description, port: Int(port)) else { return }
        let status = address.withSockAddr { connect(socket, $0, socklen_t($1)) }
        if status == 0 { syslog.store(socket, ordering: .relaxed) }
    }

    /// Sends one datagram to the syslog server, if there is one. It may be lost.
    static func forward(_ message: String) {
        let socket = syslog.load(ordering: .relaxed)
        guard socket >= 0 else { return }
        _ = message.withCString { send(socket, $0, strlen($0), Int32(MSG_DONTWAIT)) }
    }

    private static let syslog = Atomic<Int32>(-1)

    /// Seconds since the kernel started.
    public static var uptime: Double {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    private static var uptimeText: String {
        let tenths = Int(uptime * 10)
        return "\(tenths / 10).\(tenths % 10)"
    }
}
