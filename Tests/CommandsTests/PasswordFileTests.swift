import Foundation
import TestSupport
import Testing

@testable import Commands

@Suite struct PasswordFileTests {
    @Test(
        "the first line, however lines end",
        arguments: [
            ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), ("secret\r\nmore\r\n", "secret"),
            ("se cret \nmore", "se cret "), ("", ""), ("\r\nmore", ""),
        ])
    func line(text: String, password: String) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/password"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try PasswordFile.read(path) == password)
        }
    }
}
