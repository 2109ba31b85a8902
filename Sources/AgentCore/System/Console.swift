import Glibc
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
    public static func forward(to server: IPv4Address, port: UInt16) {
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = server.rawValue.bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, size) }
        }
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
