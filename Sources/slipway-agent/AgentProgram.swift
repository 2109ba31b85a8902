import AgentCore

@main
struct AgentProgram {
    static func main() async { await AgentMain.main(Array(CommandLine.arguments.dropFirst())) }
}
