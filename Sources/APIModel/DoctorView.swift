import FoundationEssentials

/// What the daemon found when it looked at its own network.
public struct DoctorView: Codable, Equatable, Sendable {
    public enum Status: String, Codable, Sendable { case ok, warning, failed }

    public struct Finding: Codable, Equatable, Sendable {
        public var status: Status
        /// What was looked at.
        public var check: String
        public var seen: String
        /// What to try; nil where all is well.
        public var attempt: String?

        public init(_ status: Status, _ check: String, _ seen: String, attempt: String? = nil) {
            (self.status, self.check, self.seen, self.attempt) = (status, check, seen, attempt)
        }
    }

    public var findings: [Finding]
    /// The daemon's clock.
    public var time: Date

    public init(findings: [Finding], time: Date) { (self.findings, self.time) = (findings, time) }
}
