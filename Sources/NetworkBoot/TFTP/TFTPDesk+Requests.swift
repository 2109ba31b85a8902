import CoreMetrics
import Machines
import NIOCore
import TFTP

/// Requests: which are served, which begin a transfer anew, which are refused.
extension TFTPDesk {
    /// Longer than a client waits before it says its last word again.
    static let repeatPatience = TimeAmount.seconds(2)

    /// Transfers at once from one address, behind which there may be a NAT full of machines, and in all.
    static let perAddress = 1024
    static let total = 4096

    /// A request that came once before, while its transfer goes on: the client's repeat, which waited while our answer was on its way
    /// and would end what it has begun; or the first word of one that was started anew with its old port. The first will go on.
    private func doubt(_ former: TFTPTransfer, orServe request: ReadRequest, _ peer: SocketAddress) {
        former.isDoubted = true
        guard !former.isLookedAfter else { return }
        former.isLookedAfter = true
        loop.assumeIsolated().scheduleTask(in: Self.repeatPatience) {
            former.isLookedAfter = false
            guard former.isDoubted, self.transfers[former.client] === former else { return }
            self.finish(former, .refused("the client began anew"))
            self.begin(request, former.client, peer)
        }
    }

    private func lookAgain(_ request: ReadRequest, _ client: TFTPTransfer.Client, _ peer: SocketAddress) {
        loop.assumeIsolated().scheduleTask(in: .milliseconds(5)) {
            self.begin(request, client, peer, isSecondLook: true)
        }
    }

    func begin(
        _ request: ReadRequest, _ client: TFTPTransfer.Client, _ peer: SocketAddress, isSecondLook: Bool = false
    ) {
        guard !asking.contains(client) else { return }
        if let former = transfers[client] {
            // A client that asks again has not heard us yet, and will: a second answer would only confuse it. One that had heard us
            // was started anew, and has the port that it had before.
            guard former.session.isHeard else {
                // Its last word may still wait on the other port. Answered at once, forged requests would make a flood of answers.
                if former.file != request.file, !isSecondLook { lookAgain(request, client, peer) }
                return
            }
            guard former.request != request else { return doubt(former, orServe: request, peer) }
            finish(former, .refused("the client began anew"))
        }
        let address = peer.ipAddress ?? ""
        guard byAddress[address, default: 0] < Self.perAddress, transfers.count + asking.count < Self.total else {
            // Silence: firmware asks again, and by then some transfers have ended.
            return BootMetrics.tftpTurnedAway.increment()
        }
        byAddress[address, default: 0] += 1
        asking.insert(client)
        let found = loop.makePromise(of: (ByteBuffer, signers: [String]?)?.self)
        let (content, cache) = (content, cache)
        found.completeWithTask {
            switch await content.find(BootRequest(tftp: request.file, client: peer.ipv4)) {
            case .text(let text): (ByteBuffer(string: text), nil)
            case .file(let file):
                cache.content(of: file).map { ($0, content.signers.signers(of: file, named: request.file)) }
            case .parts, .nothing: nil
            }
        }
        found.futureResult.assumeIsolated().whenComplete { result in
            self.asking.remove(client)
            self.answer(request, client, peer, (try? result.get()) ?? nil)
        }
    }

    private func answer(
        _ request: ReadRequest, _ client: TFTPTransfer.Client, _ peer: SocketAddress,
        _ found: (file: ByteBuffer, signers: [String]?)?
    ) {
        guard let port = port() else { return release(peer) }
        guard let (file, signers) = found else {
            release(peer)
            content.director.record(
                BootTraceEvent(mac: peer.traceMAC, address: peer.ipv4, step: .trouble(.missing(.tftp, request.file))))
            // At once: shim asks for files that need not be there, and would wait.
            return refuse(.fileNotFound, "no such file", peer, on: port)
        }
        let negotiation = Negotiation(request, fileSize: file.readableBytes, limits: limits)
        let transfer = TFTPTransfer(
            client: client, peer: peer, request: request, content: file, port: port,
            session: ReadSession(fileSize: file.readableBytes, negotiation: negotiation))
        transfers[client] = transfer
        content.director.record(
            BootTraceEvent(
                mac: peer.traceMAC, address: peer.ipv4,
                step: .transferStarted(.tftp, file: request.file, signers: signers)))
        perform(transfer.session.handle(.started, at: Self.now), transfer)
    }

    /// Transfers take turns on the ports that are theirs, so that a straggler of one is not taken for a packet of the next.
    private func port() -> TFTPPort? {
        let usable = ports.filter { $0.takesRequests == isSinglePort }
        guard !usable.isEmpty else { return nil }
        nextPort = (nextPort + 1) % usable.count
        return usable[nextPort]
    }

    func refuse(_ code: ErrorCode, _ why: String, _ peer: SocketAddress, on port: TFTPPort) {
        var address = DatagramSender.Address(peer)
        BootMetrics.tftpRefused.increment()
        _ = Packet.error(code, why).encoded.withUnsafeBytes { sender.send($0, to: &address, on: port.descriptor) }
    }
}
