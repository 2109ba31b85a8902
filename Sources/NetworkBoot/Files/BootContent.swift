import Machines

/// What firmware, iPXE, GRUB and agents may fetch, by TFTP and by HTTP alike.
public struct BootContent: Sendable {
    let scripts: BootScripts
    let bootFiles: BootFileDirectory
    /// `vmlinuz` and `initrd` for each architecture that there is an agent for.
    let agents: [AgentArchitecture: BootFileDirectory]
    let images: any ImageSource
    let director: any NetworkBootDirector
    private(set) var bootURL: String
    let signers = SignerCache()

    public init(
        scripts: BootScripts, bootFiles: BootFileDirectory, agents: [AgentArchitecture: BootFileDirectory],
        images: any ImageSource, director: any NetworkBootDirector, bootURL: String
    ) {
        (self.scripts, self.bootFiles, self.agents) = (scripts, bootFiles, agents)
        (self.images, self.director, self.bootURL) = (images, director, bootURL)
    }

    /// The same for clients that reach us elsewhere.
    public func at(_ bootURL: String) -> BootContent {
        var content = self
        content.bootURL = bootURL
        return content
    }

    enum Found: Sendable {
        case text(String)
        case file(OpenFile)
        case nothing
    }

    /// What is made and not fetched from a disk; nil: ``file(_:)`` may have it.
    /// - Parameter isHead: asked without being fetched; a ticket is not spent on it.
    func made(_ request: BootRequest, isHead: Bool = false) -> Found? {
        switch request {
        case .script(let client):
            if isHead { return .text("#!ipxe\n") }
            let script = scripts.render(director.script(for: client), for: client, bootURL: bootURL)
            director.record(
                BootTraceEvent(mac: client.mac, address: client.address, step: .script(name: script.name)))
            return script.text.map { .text($0) } ?? .nothing
        case .pixiecore(let mac):
            // Where the machine itself is nobody knows here: its session is trusted with nothing until a person says so.
            let client = BootClient(mac: mac, stage: .ipxe)
            guard !isHead, case .agent(let arguments, _) = director.script(for: client) else { return .nothing }
            director.record(BootTraceEvent(mac: mac, step: .script(name: "pixiecore-agent")))
            return .text(PixiecoreAnswer(bootURL: bootURL, arguments: arguments).json)
        case .grubConfiguration: return .text(scripts.grubConfiguration)
        case .nothing: return .nothing
        case .bootFile, .agent, .image: return nil
        }
    }

    func file(_ request: BootRequest) async -> OpenFile? {
        switch request {
        case .bootFile(let name): bootFiles.open(name)
        case .agent(let file): agents[file.architecture]?.open(file.name.rawValue)
        case .image(let digest): await images.path(ofImage: digest).flatMap { OpenFile(path: $0) }
        case .script, .pixiecore, .grubConfiguration, .nothing: nil
        }
    }

    func find(_ request: BootRequest) async -> Found {
        if let found = made(request) { return found }
        return await file(request).map { .file($0) } ?? .nothing
    }
}
