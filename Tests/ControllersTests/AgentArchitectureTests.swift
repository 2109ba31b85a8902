import Crypto
import DHCP
import Logging
import Machines
import Testing

@testable import Controllers

/// Which processors are given an agent.
@Suite struct AgentArchitectureTests {
    private static let answers: [(ClientArchitecture?, without: String?, with: String?)] = [
        (nil, nil, nil), (.biosX86, nil, nil), (.efiX64, nil, nil), (.efiX64HTTP, nil, nil), (.efiBC, nil, nil),
        (.efiIA32, nil, nil), (.efiARM64, "its agent_image_arm64 is not set", nil),
        (.efiARM64HTTP, "its agent_image_arm64 is not set", nil),
        (.efiARM32, "no agent for the architecture 10 of", "no agent for the architecture 10 of"),
        (.efiRISCV64HTTP, "no agent for the architecture 28 of", "no agent for the architecture 28 of"),
    ]

    @Test("every architecture is given its agent, or told that there is none", arguments: answers)
    func answer(client: ClientArchitecture?, without: String?, with: String?) {
        let cases: [(Set<AgentArchitecture>, String?)] = [([.amd64], without), ([.amd64, .arm64], with)]
        for (agents, refusal) in cases {
            let installation = Installation(
                apiURL: "https://10.77.0.1:8443", bootURL: "", certificateAuthority: "",
                certificateAuthorityPin: "sha256:a", orderKey: .init(), certificateKey: .init(),
                secretKey: .init(size: .bits256),
                admission: .init(unknown: .discover), offerings: BootOfferings(agents: agents))
            let director = BootDirector(
                installation: installation, tickets: TicketOffice(secret: installation.secretKey), book: BootBook(),
                profiles: ProfileBook([]),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            for stage in [BootClient.Stage.ipxe, .grub] {
                let script = director.script(
                    for: BootClient(mac: LifecycleFlowTests.mac, architecture: client, stage: stage))
                switch script {
                case .agent: #expect(refusal == nil)
                case .refuse(let words): #expect(refusal.map(words.contains) ?? false, "\(words)")
                case .localDisk, .installer: Issue.record("an unknown machine was sent elsewhere")
                }
            }
        }
    }
}
