import Glibc

/// Firmware files that drivers did not find, as the kernel's log names them. Some drivers look when they are loaded, others
/// when their interface is set up.
enum MissingFirmware {
    /// Says each on the console, for as long as the agent lives.
    static func follow() {
        let log = open("/dev/kmsg", O_RDONLY | O_CLOEXEC)
        guard log >= 0 else { return Console.say("no kernel log: \(String(cString: strerror(errno)))") }
        defer { close(log) }
        var told: Set<String> = []
        var record = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = read(log, &record, record.count)
            // EPIPE: the ring overran this reader, which goes on with the next record.
            guard count > 0 || (count < 0 && (errno == EPIPE || errno == EINTR)) else { return }
            guard count > 0, let words = words(of: String(decoding: record.prefix(count), as: UTF8.self)) else {
                continue
            }
            if told.insert(words).inserted { Console.say(words) }
        }
    }

    /// Pure: the warning for one record of the kernel's log, nil when it is about something else. The kernel says "Direct
    /// firmware load for FILE failed", Debian's kernel "firmware: failed to load FILE" as well.
    static func words(of record: String) -> String? {
        guard let text = record.split(separator: ";", maxSplits: 1).last?.split(separator: "\n").first else {
            return nil
        }
        let words = text.split(separator: " ")
        for lead in ["Direct firmware load for", "firmware: failed to load"] {
            let lead = lead.split(separator: " ")
            guard let start = words.indices.first(where: { words[$0...].starts(with: lead) }),
                let file = words.dropFirst(start + lead.count).first
            else { continue }
            let device = words[..<start].joined(separator: " ").dropLast()
            return "\(device) misses its firmware \(file): build the agent image with FIRMWARE_DIR"
        }
        return nil
    }
}
