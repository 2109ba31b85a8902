import TestSupport
import Testing

@testable import TPM

/// Against a TPM in software, refereed by tpm2-tools.
@Suite struct TPMOwnerTests {
    @Test("clearing takes off the owner's password, and what the owner kept")
    func cleared() async throws {
        try await SoftwareTPM.with { tpm in
            try await tpm.tool("tpm2_changeauth", "-c", "owner", "secret")
            #expect(try await tpm.tool("tpm2_getcap", "properties-variable").contains("ownerAuthSet:              1"))
            #expect(TPMOwner.clear(tpm) == .cleared)
            #expect(try await tpm.tool("tpm2_getcap", "properties-variable").contains("ownerAuthSet:              0"))
        }
    }

    @Test("with a lockout password the platform clears, and where that is shut too the refusal is told")
    func refused() async throws {
        try await SoftwareTPM.with { tpm in
            try await tpm.tool("tpm2_changeauth", "-c", "lockout", "secret")
            try await tpm.tool("tpm2_changeauth", "-c", "platform", "secret")
            guard case .refused(let code) = TPMOwner.clear(tpm) else {
                Issue.record("not refused")
                return
            }
            #expect(code.isDenied)
        }
    }

    private struct Silent: TPMTransport {
        var answer: [UInt8]?
        func exchange(_ command: [UInt8]) -> [UInt8]? { answer }
    }

    @Test("silence and garbage clear nothing")
    func silent() {
        #expect(TPMOwner.clear(Silent(answer: nil)) == .silent)
        #expect(TPMOwner.clear(Silent(answer: [0x80, 1, 0, 0])) == .silent)
    }
}
