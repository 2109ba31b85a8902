import Glibc

/// Sends what the kernel warns of to a syslog server, from the beginning of its log on.
enum KernelLog {
    /// - Parameter server: of ``Console/forward(to:)``, which must have been called.
    static func follow() {
        let log = open("/dev/kmsg", O_RDONLY | O_CLOEXEC)
        guard log >= 0 else { return }
        defer { close(log) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = read(log, &buffer, buffer.count)
            // EPIPE: records were overwritten before they were read; the next read goes on with what there is.
            if count < 0, errno == EPIPE || errno == EINTR { continue }
            guard count > 0 else { return }
            guard let record = warning(in: String(decoding: buffer[..<count], as: UTF8.self)) else { continue }
            Console.forward("<\(record.priority)>kernel: \(record.text)")
        }
    }

    /// A record of /dev/kmsg (`priority,sequence,microseconds,flags;words`) that is at least a warning. Pure.
    static func warning(in record: String) -> (priority: Int, text: String)? {
        guard let semicolon = record.firstIndex(of: ";"),
            let priority = Int(record.prefix { $0.isNumber }), priority & 7 <= 4
        else { return nil }
        return (priority, String(record[record.index(after: semicolon)...].prefix { $0 != "\n" }))
    }
}
