import IPMI
import Logging
import Machines
import NetworkAddresses

/// The BMC's own LAN. Slipway talks to it by what is changed here: the change is followed, and what cannot be followed is said.
extension IPMIController {
    public func network(of bmc: BMCAccess) async throws -> BMCNetwork {
        try await session(bmc) { session in
            try await Self.network(on: try await Self.channel(&session), &session)
        }
    }

    /// - Returns: how it is set afterwards, read back from where it is then.
    public func setNetwork(_ setting: BMCNetworkSetting, on bmc: BMCAccess) async throws -> BMCNetwork {
        let doing = "set its LAN"
        let (before, after) = try await session(bmc) { session -> (BMCNetwork, BMCNetwork?) in
            let channel = try await Self.channel(&session)
            let before = try await Self.network(on: channel, &session)
            guard !setting.isMet(by: before) else { return (before, before) }
            if case .fixed(let address, _, _) = setting, address != before.address {
                let stranger = await probe(address: "\(address)", port: port(of: bmc), credentials: nil)
                guard stranger.outcome == .absent else {
                    throw BMCError(
                        address: bmc.address, doing: doing, reason: .refused,
                        "a BMC answers at \(address) already; nothing was changed")
                }
            }
            logger.notice(
                "LAN of a BMC",
                metadata: ["bmc.endpoint": "\(bmc)", "from": "\(before.summary)", "to": "\(setting.summary)"])
            // Where it went a new session has to be opened.
            session.mayReopen = false
            var conversation = LANSetting(setting.configuration, channel: channel)
            do {
                try await session.run(&conversation, doing: doing)
                guard !setting.moves(before) else { return (before, nil) }
                return (before, try await Self.network(on: channel, &session))
            } catch let error as BMCError where error.isAbsence && conversation.hasWritten {
                return (before, nil)
            }
        }
        if let after { return after }
        // Some answer as before, and go a few seconds later (OpenBMC: ten).
        try await Task.sleep(for: times.lanChange)
        return try await find(bmc, setting, before, doing)
    }

    /// Looks for a BMC that may have gone elsewhere.
    private func find(
        _ bmc: BMCAccess, _ setting: BMCNetworkSetting, _ before: BMCNetwork, _ doing: String
    ) async throws -> BMCNetwork {
        var places = [bmc.address]
        // One behind a router that translates addresses is asked as before: that its own changed is the router's matter.
        if case .fixed(let address, _, _) = setting, "\(before.address)" == bmc.address, "\(address)" != bmc.address {
            places.insert("\(address)", at: 0)
        }
        let clock = ContinuousClock()
        let end = clock.now + bmc.settle
        var last: (place: String, network: BMCNetwork)?
        var why: BMCError?
        repeat {
            for place in places {
                var there = bmc
                there.address = place
                do {
                    let network = try await session(there) { session in
                        let channel = try await Self.channel(&session)
                        // Its answer may have been lost with the session before.
                        _ = try await session.ask(.setLAN(.setInProgress, [0], channel: channel))
                        return try await Self.network(on: channel, &session)
                    }
                    last = (place, network)
                    if setting.isMet(by: network), place == places[0] { return network }
                } catch let error as BMCError {
                    why = error
                }
            }
            try await Task.sleep(for: times.look(.max))
        } while clock.now < end
        if let last {
            throw BMCError(
                address: bmc.address, doing: doing, reason: .notDone,
                "told to have \(setting.summary), it answers at \(last.place) and says \(last.network.summary)")
        }
        let mac = before.mac.map { ", by its MAC \($0)," } ?? ""
        throw BMCError(
            address: bmc.address, doing: doing, reason: .outcomeUnknown,
            """
            it had \(before.summary), was told to have \(setting.summary), and answers at \(places.joined(separator: " and ")) no more; find it\(mac) \
            at the DHCP server or in the network, then say `slipway machine bmc set` with its address (\(why?.detail ?? "no answer"))
            """)
    }

    /// The number of the channel by which it is asked.
    private static func channel(_ session: inout OpenSession) async throws -> UInt8 {
        let answer = try await session.send(.channelInfo(14))
        guard ChannelInfo.isLAN(answer: answer), let number = answer.first else {
            throw session.fault("find its LAN", .nonsense, "the channel by which it answers is no LAN")
        }
        return number & 15
    }

    private static func network(on channel: UInt8, _ session: inout OpenSession) async throws -> BMCNetwork {
        var reading = LANReading(channel: channel)
        try await session.run(&reading, doing: "read its LAN")
        func address(_ bytes: [UInt8]?) -> IPv4Address? { bytes.flatMap { IPv4Address(bytes: $0) } }
        return BMCNetwork(
            source: reading.source == .fixed ? .fixed : reading.source == .dhcp ? .dhcp : .other,
            address: address(reading.address) ?? .unspecified, netmask: address(reading.mask) ?? .unspecified,
            gateway: address(reading.gateway), mac: reading.mac.flatMap { MACAddress(bytes: $0) }, vlan: reading.vlan)
    }
}

extension BMCNetworkSetting {
    fileprivate var configuration: LANConfiguration {
        switch self {
        case .dhcp: LANConfiguration(source: .dhcp)
        case .fixed(let address, let netmask, let gateway):
            LANConfiguration(
                source: .fixed, address: address.bytes, mask: netmask.bytes,
                gateway: (gateway ?? .unspecified).bytes)
        }
    }
}
