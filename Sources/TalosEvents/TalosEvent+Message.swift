import OperatingSystems
import SwiftProtobuf

extension TalosEvent {
    /// - Returns: nil for what does not count here, and for what is not what it says.
    init?(_ payload: Events_Payload) {
        let name = payload.typeURL.split(separator: "/").last.map(String.init)
        func read<Message: SwiftProtobuf.Message>(_ type: Message.Type) -> Message? {
            try? Message(serializedBytes: payload.value)
        }
        switch name {
        case Machine_ConfigLoadErrorEvent.protoMessageName:
            guard let event = read(Machine_ConfigLoadErrorEvent.self) else { return nil }
            self = .configurationRefused(event.error)
        case Machine_ConfigValidationErrorEvent.protoMessageName:
            guard let event = read(Machine_ConfigValidationErrorEvent.self) else { return nil }
            self = .configurationRefused(event.error)
        case Machine_SequenceEvent.protoMessageName:
            // What is locked is under way already, and what is cancelled somebody wanted so.
            guard let event = read(Machine_SequenceEvent.self), event.hasError, event.error.code == .fatal,
                !event.error.message.isEmpty
            else { return nil }
            self = .sequenceFailed(event.sequence, error: event.error.message)
        case Machine_ServiceStateEvent.protoMessageName:
            guard let event = read(Machine_ServiceStateEvent.self), event.action == .failed else { return nil }
            self = .serviceFailed(event.service, message: event.message)
        case Machine_MachineStatusEvent.protoMessageName:
            guard let event = read(Machine_MachineStatusEvent.self), let stage = Stage(event.stage) else { return nil }
            self = .status(
                stage, ready: event.status.ready,
                unmet: event.status.unmetConditions.map { UnmetCondition(name: $0.name, reason: $0.reason) })
        default: return nil
        }
    }
}

extension TalosEvent.Stage {
    fileprivate init?(_ stage: Machine_MachineStatusEvent.MachineStage) {
        switch stage {
        case .booting: self = .booting
        case .installing: self = .installing
        case .maintenance: self = .maintenance
        case .running: self = .running
        case .rebooting: self = .rebooting
        case .shuttingDown: self = .shuttingDown
        case .resetting: self = .resetting
        case .upgrading: self = .upgrading
        case .unknown, .UNRECOGNIZED: return nil
        }
    }
}
