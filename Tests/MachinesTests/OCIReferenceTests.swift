import Testing

@testable import Machines

@Suite struct OCIReferenceTests {
    private static let digest = "sha256:" + String(repeating: "0a", count: 32)

    @Test(
        "references say what they mean",
        arguments: [
            "oci://ghcr.io/siderolabs/talos@\(digest)", "oci://10.0.0.1:5000/x@\(digest)#vmlinuz",
            "oci+http://[fd00::1]:5000/a/b-c__d.e@\(digest)#boot/vmlinuz-6.1", "oci://r.example/a:v1.2_x@\(digest)",
            "oci://r.example/a:v1", "oci://r.example/a@sha512:\(String(repeating: "0a", count: 64))",
        ])
    func fine(text: String) throws {
        #expect(try OCIReference(parsing: text).description == text)
        #expect(OCIReference.isOne(text))
    }

    @Test("where its API is")
    func origins() throws {
        #expect(try OCIReference(parsing: "oci://ghcr.io/a@\(Self.digest)").origin == "https://ghcr.io")
        #expect(try OCIReference(parsing: "oci+http://r:5000/a@\(Self.digest)").origin == "http://r:5000")
        #expect(
            try OCIReference(parsing: "oci://docker.io/library/a@\(Self.digest)").origin
                == "https://registry-1.docker.io")
    }

    @Test(
        "what is none",
        arguments: [
            "", "ghcr.io/a@\(digest)", "https://ghcr.io/a@\(digest)", "oci://ghcr.io@\(digest)",
            "oci://ghcr.io/@\(digest)",
            "oci:///a@\(digest)", "oci://ghcr.io/a", "oci://ghcr.io/a@sha256:12",
            "oci://ghcr.io/a@md5:\(digest.dropFirst(7))",
            "oci://ghcr.io/a@\(digest.uppercased())", "oci://ghcr.io/a@sha256:\(digest.dropFirst(7).uppercased())",
            "oci://ghcr.io/A@\(digest)", "oci://ghcr.io/a/../b@\(digest)", "oci://ghcr.io/a//b@\(digest)",
            "oci://ghcr.io/a?x=y@\(digest)", "oci://user:word@ghcr.io/a@\(digest)", "oci://gh cr.io/a@\(digest)",
            "oci://ghcr.io/a:@\(digest)", "oci://ghcr.io/a:-x@\(digest)", "oci://ghcr.io/a@\(digest)#",
            "oci://ghcr.io/a@\(digest)#a b",
            "oci://ghcr.io/a%2f..@\(digest)", "oci://ghcr.io/a@\(digest)@\(digest)",
            "oci://ghcr.io/a@\(digest)\r\nX: y",
        ])
    func refused(text: String) { #expect(throws: OCIReferenceError.self) { try OCIReference(parsing: text) } }
}
