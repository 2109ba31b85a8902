import Glibc

/// Lines for a person at the machine's screen or serial port.
public enum Console {
    /// One line, with the seconds since the kernel started.
    public static func say(_ text: String) {
        let line = "slipway-agent [\(uptimeText)] \(text)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

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
