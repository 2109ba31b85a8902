import Logging

/// Says once for each source what was wrong with its bytes, and counts the rest. Bounded, so that a flood of made-up sources
/// costs a fixed amount.
struct MalformedLog {
    private let service: String
    private var seen: Set<String> = []

    static let capacity = 1024

    init(service: String) { self.service = service }

    mutating func note(from source: String, _ why: String, logger: Logger) {
        BootMetrics.noteMalformed(service)
        guard seen.count < Self.capacity, seen.insert(source).inserted else { return }
        logger.warning(
            "malformed bytes; further ones of this source are only counted",
            metadata: ["service": "\(service)", "source": "\(source)", "error": "\(why)"])
    }
}
