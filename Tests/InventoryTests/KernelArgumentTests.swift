import Inventory
import Testing

@Suite struct KernelArgumentTests {
    @Test(
        "reads what operators write",
        arguments: [
            ("quiet", "quiet", nil), ("console=ttyS0,115200", "console", "ttyS0,115200"),
            ("slipway.server=https://10.77.0.1:8443", "slipway.server", "https://10.77.0.1:8443"),
            ("root=PARTLABEL=x", "root", "PARTLABEL=x"),
        ] as [(String, String, String?)])
    func parses(text: String, key: String, value: String?) throws {
        let argument = try KernelArgument(parsing: text)
        #expect(argument.key == key)
        #expect(argument.value == value)
        #expect(argument.description == text)
    }

    @Test(
        "refuses what could end an argument or start a command",
        arguments: [
            "", "=x", "a b", "a=b c", "a=b\nboot", "a=b\r", "a=\"x\"", "a=${net0/mac}", "a=b;c", "a=b&&c", "a=b||c",
            "a=#c",
            "a=\\", "a=é", "-x", "a\n=b", "a={x}",
        ])
    func refuses(text: String) {
        #expect(throws: KernelArgumentError.self) { try KernelArgument(parsing: text) }
    }
}
