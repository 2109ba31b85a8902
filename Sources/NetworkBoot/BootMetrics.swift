import CoreMetrics
import DHCP
import Machines

/// What the boot services count. Labels are of closed sets only; made once, since a look-up would cost more than the count.
enum BootMetrics {
    static let dhcpPackets = Counter(label: "dhcp.packets")
    /// Packets beyond a MAC's share.
    static let dhcpLimited = Counter(label: "dhcp.limited")
    static let offers = Counter(label: "dhcp.replies", dimensions: [("type", "offer")])
    static let acknowledgments = Counter(label: "dhcp.replies", dimensions: [("type", "ack")])
    static let refusals = Counter(label: "dhcp.replies", dimensions: [("type", "nak")])
    private static let malformed = Dictionary(
        uniqueKeysWithValues: ["dhcp", "dhcpv6", "tftp"].map {
            ($0, Counter(label: "malformed", dimensions: [("service", $0)]))
        })

    static let tftpTurnedAway = Counter(label: "tftp.turned_away")
    static let tftpRefused = Counter(label: "tftp.refused")
    static let tftpRetransmissions = Counter(label: "tftp.retransmissions")
    static let httpErrors = Counter(label: "http.errors")

    private static let bytes = each { Counter(label: "transfer.bytes", dimensions: [("protocol", $0)]) }
    private static let durations = each { Timer(label: "transfer", dimensions: [("protocol", $0)]) }
    private static let transfers = each { name in
        Dictionary(
            uniqueKeysWithValues: Outcome.allCases.map {
                ($0, Counter(label: "transfers", dimensions: [("protocol", name), ("outcome", $0.rawValue)]))
            })
    }
    private static let requests = Dictionary(
        uniqueKeysWithValues: [200, 206, 304, 400, 404, 405, 414, 416].map {
            ($0, Counter(label: "http.requests", dimensions: [("status", "\($0)")]))
        })

    enum Outcome: String, CaseIterable {
        case completed, probed, refused, timedOut = "timed-out", brokenOff = "broken-off"
    }

    static func noteMalformed(_ service: String) { malformed[service]?.increment() }

    static func noteReply(_ type: MessageType?) {
        switch type {
        case .offer: offers.increment()
        case .ack: acknowledgments.increment()
        case .nak: refusals.increment()
        default: break
        }
    }

    static func noteRequest(status: UInt) { requests[Int(status)]?.increment() }

    static func noteTransfer(
        _ transport: BootTraceEvent.Transport, _ outcome: Outcome, bytes count: Int64, nanoseconds: Int64
    ) {
        transfers[transport]?[outcome]?.increment()
        bytes[transport]?.increment(by: count)
        durations[transport]?.recordNanoseconds(nanoseconds)
    }

    private static func each<Made>(_ make: (String) -> Made) -> [BootTraceEvent.Transport: Made] {
        Dictionary(uniqueKeysWithValues: [BootTraceEvent.Transport.tftp, .http].map { ($0, make($0.rawValue)) })
    }
}
