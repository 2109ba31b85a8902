import DHCP
import Inventory

extension BootTraceEvent.Step: CustomStringConvertible {
    /// For people, one line.
    public var description: String {
        switch self {
        case .discover(let stage, let architecture):
            "DISCOVER from \(stage.words)\(architecture.map { ", architecture \($0.rawValue)" } ?? "")"
        case .offer(let address, let file, let form):
            "OFFER\(Self.words(address.map { "\($0)" }, file))\(form.map { " (\($0.rawValue))" } ?? "")"
        case .request(let stage): "REQUEST from \(stage.words)"
        case .acknowledge(let address, let file): "ACK\(Self.words(address.map { "\($0)" }, file))"
        case .transferStarted(let transport, let file, let signers):
            "\(transport.rawValue.uppercased()) \(file) begins"
                + (signers.map { $0.isEmpty ? ", signed by nobody" : ", signed by \($0.joined(separator: " and "))" }
                    ?? "")
        case .transferFinished(let transport, let file, let bytes, let milliseconds, let repeated, let outcome):
            "\(transport.rawValue.uppercased()) \(file) \(outcome), \(bytes) bytes in \(milliseconds) ms"
                + (repeated > 0 ? ", \(repeated) blocks sent again" : "")
        case .script(let name): "script \(name)"
        case .console(let line): "console: \(line)"
        case .bootDevice(let device): "the BMC was told to start from \(device == .disk ? "the disk" : "the network")"
        case .session: "the agent opened its session"
        case .trouble(let trouble): "\(trouble)"
        }
    }

    private static func words(_ address: String?, _ file: String?) -> String {
        let parts = [address, file.map { "boot file \($0)" }].compactMap { $0 }
        return parts.isEmpty ? "" : " " + parts.joined(separator: ", ")
    }
}

extension BootClient.Stage {
    fileprivate var words: String {
        switch self {
        case .firmware: "firmware"
        case .ipxe: "iPXE"
        case .grub: "GRUB"
        case .agent: "the agent"
        case .system: "a system"
        }
    }
}

extension BootTrouble: CustomStringConvertible {
    /// For people, one line.
    public var description: String {
        switch self {
        case .noProgram(let architecture): "there is no boot program for architecture \(architecture.rawValue)"
        case .ignored: "it is not served"
        case .noFreeAddress: "every address is taken"
        case .chose(let server): "it chose the offer of \(server)"
        case .refusedAddress(_, let reason): "NAK: \(reason)"
        case .addressInUse(let address): "DECLINE: somebody else has \(address)"
        case .noHTTP: "its iPXE has no HTTP"
        case .tls(let reason): "TLS failed: \(reason)"
        case .notFound(let transport, let file): "\(transport.rawValue.uppercased()) \(file) is not there"
        }
    }
}
