import NIOCore

/// One TFTP socket: hands packets to the desk, which sends on it. Lives on one event loop.
final class TFTPPort: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// The socket; the channel owns it.
    let descriptor: Int32
    /// Whether requests come here. Transfers have ports of their own unless there is only one for all.
    let takesRequests: Bool
    private let desk: TFTPDesk
    private(set) var isOpen = true

    init(descriptor: Int32, takesRequests: Bool, desk: TFTPDesk) {
        (self.descriptor, self.takesRequests, self.desk) = (descriptor, takesRequests, desk)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let sender = DatagramSender.Address(envelope.remoteAddress)
        envelope.data.withUnsafeReadableBytes { desk.take($0, from: sender, on: self) }
        desk.takeRest(on: self)
        desk.stayAwake(on: self)
    }

    func channelActive(context: ChannelHandlerContext) { desk.opened(self) }

    func channelInactive(context: ChannelHandlerContext) {
        isOpen = false
        desk.closed(self)
    }

    /// ICMP "port unreachable" surfaces here: that client is gone, and the others go on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
