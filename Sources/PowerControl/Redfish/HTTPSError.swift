import NIOCore
import NIOPosix

/// Why there is no answer.
enum HTTPSError: Error, Equatable {
    /// Nothing listens, or the network does not lead there. Nothing was sent.
    case unreachable(String)
    /// Not in time.
    case silent
    /// What listens does not speak TLS, or none that we speak. Nothing was sent.
    case notTLS(String)
    /// The connection was gone before the request was out.
    case unsent(String)
    /// The connection ended before the answer did.
    case cut(String)
    /// The answer is longer than is read.
    case tooLong(Int)
    /// No HTTP.
    case nonsense(String)

    init(connecting error: any Error) {
        switch error {
        case let error as NIOConnectionError where error.connectionErrors.allSatisfy { $0.error is ChannelError }:
            self = .silent
        case ChannelError.connectTimeout: self = .silent
        case let error as IOError where error.errnoCode == 110: self = .silent
        case let error as HTTPSError: self = error
        case let error as IOError: self = .unreachable(Self.words(error.errnoCode))
        default: self = .unreachable("\(error)")
        }
    }

    private static func words(_ code: CInt) -> String {
        switch code {
        case 111: "nothing listens there"
        case 113: "no route to the host"
        case 101: "the network is unreachable"
        default: "error \(code) of the socket"
        }
    }
}
