import CAgent
import IPMI
import Inventory
import NetworkAddresses

/// The BMC's interface inside the machine.
public protocol InBandBMC: Sendable {
    /// What the BMC answered; nil when there is none, or it did not answer.
    func send(_ request: Request) -> InBandAnswer?
}

/// A completion code and the data behind it.
public struct InBandAnswer: Sendable {
    public var code: CompletionCode
    public var data: [UInt8]

    public init(_ code: CompletionCode, _ data: [UInt8]) { (self.code, self.data) = (code, data) }
}

extension InBandBMC {
    /// What the BMC answered behind the completion code; nil when it refused, or did not answer.
    func ask(_ request: Request) -> [UInt8]? { send(request).flatMap { $0.code == .success ? $0.data : nil } }
}

/// `/dev/ipmi0`.
public struct KernelInBandBMC: InBandBMC {
    public init() {}

    public func send(_ request: Request) -> InBandAnswer? {
        var answer = [UInt8](repeating: 0, count: 256)
        let count = agent_ipmi_exchange(
            request.function.rawValue, request.command, request.data, UInt16(request.data.count), &answer, 256)
        guard count >= 1 else { return nil }
        return InBandAnswer(CompletionCode(rawValue: answer[0]), Array(answer[1..<Int(count)]))
    }
}

/// Reads what a BMC says of itself and of its first LAN.
struct BMCReader {
    let bmc: any InBandBMC

    func read() -> HardwareReport.BMC? {
        guard let device = bmc.ask(.deviceID).flatMap({ DeviceID(answer: $0) }) else { return nil }
        var report = HardwareReport.BMC(
            firmware: device.firmware, specification: device.specification, manufacturer: device.manufacturer,
            product: device.product)
        // Channels 12 and up are reserved, 14 and 15 are this interface.
        let lan = (UInt8(1)...11).first { channel in
            bmc.ask(.channelInfo(channel)).map { ChannelInfo.isLAN(answer: $0) } ?? false
        }
        guard let lan else { return report }
        report.address = parameter(.address, lan).flatMap { IPv4Address(bytes: $0) }.flatMap {
            $0 == IPv4Address(0, 0, 0, 0) ? nil : "\($0)"
        }
        report.mac = parameter(.mac, lan).flatMap { MACAddress(bytes: $0) }.flatMap { $0.rawValue == 0 ? nil : "\($0)" }
        report.vlan = parameter(.vlan, lan).flatMap { value in
            value[1] & 0x80 != 0 ? Int(value[0]) | Int(value[1] & 15) << 8 : nil
        }
        return report
    }

    private func parameter(_ parameter: LANParameter, _ channel: UInt8) -> [UInt8]? {
        bmc.ask(.lanParameter(parameter, channel: channel)).flatMap { parameter.value(ofAnswer: $0) }
    }
}
