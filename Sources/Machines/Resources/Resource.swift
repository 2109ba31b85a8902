/// A value that is kept in a store, one record each.
public protocol Resource: Codable, Sendable {
    /// The first half of its key.
    static var kind: String { get }
    /// The second half, unique among its kind.
    var id: String { get }
}

extension Machine: Resource {}
extension ExpectedMachine: Resource {}
extension Operation: Resource {}
extension Tombstone: Resource {}
extension HardwareRevision: Resource {}
extension OSRelease: Resource {}
extension ReleaseFetch: Resource {}
extension AppliedProfile: Resource {}
extension Cluster: Resource {}
extension Node: Resource {}
extension FormerNode: Resource {}
extension JoinToken: Resource {}
extension InstallationTicket: Resource {}
extension Event: Resource {}
extension BootRecord: Resource {}
extension ConsoleRecording: Resource {}
extension ShellRecording: Resource {}
extension BootTicket: Resource {}
extension AgentSession: Resource {}
extension AccessToken: Resource {}
extension Secret: Resource {}
extension WipeCertificate: Resource {}
extension CertificateHead: Resource {}
extension PhaseHistory: Resource {}
extension InstallationHistory: Resource {}
extension InstalledRendering: Resource {}
extension NetworkStart: Resource {}
extension ProblemMemory: Resource {}
