/// Clears a TPM: the owner's keys, passwords and policies are gone, and all keys that were made under them; the endorsement key stays.
public enum TPMOwner {
    public enum Outcome: Equatable, Sendable {
        case cleared
        case refused(TPMResponseCode)
        case silent
    }

    /// TPM2_Clear (Part 3 §24.6), first by the lockout hierarchy, whose password is empty unless an owner set one, then by the platform, which most
    /// firmware shuts before it starts anything.
    public static func clear(_ transport: some TPMTransport) -> Outcome {
        var outcome = Outcome.silent
        for handle in [TPMHandle.lockout, .platform] {
            guard let bytes = transport.exchange(TPMCommand.clear(handle)),
                let response = try? TPMResponse(parsing: bytes)
            else { return outcome }
            if response.code == .success { return .cleared }
            if outcome == .silent { outcome = .refused(response.code) }
        }
        return outcome
    }
}
