import IPMI
import Machines

extension IPMIController {
    public func changePassword(to password: String, on bmc: BMCAccess) async throws {
        let doing = "change the password of \(bmc.username)"
        func impossible(_ words: String) -> BMCError {
            BMCError(address: bmc.address, doing: doing, reason: .unsupported, words)
        }
        guard !bmc.username.isEmpty else { throw impossible("the nameless user is not ours") }
        guard 1...20 ~= password.utf8.count, !password.utf8.contains(0) else {
            throw impossible("a BMC's password has 1 to 20 bytes")
        }
        let size = password.utf8.count > 16 ? PasswordSize.twenty : .sixteen
        try await session(bmc) { session in
            var search = UserSearch(bmc.username)
            try await session.run(&search, doing: doing)
            guard let user = search.user else { throw impossible("no user of this BMC has that name") }
            let request = Request.setPassword(user, password, size: size)
            let (code, _) = try await session.ask(request)
            guard code == .success else {
                throw BMCError(
                    address: bmc.address, doing: doing, reason: .refused,
                    "\(code); it may be against the BMC's rules for passwords"
                        + (size == .twenty ? ", or longer than the 16 bytes it stores" : ""))
            }
            do {
                try await verify(user, password, size, bmc, &session, doing)
            } catch {
                // This session is still open: the BMC must not be left with a password that nobody knows to work.
                let old = bmc.password.utf8.count > 16 ? PasswordSize.twenty : .sixteen
                let back = try? await session.ask(.setPassword(user, bmc.password, size: old))
                guard back?.0 == .success, var fault = error as? BMCError else { throw error }
                fault.detail += "; the old password was set again"
                throw fault
            }
        }
    }

    /// The BMC's own test, which is optional, and a session with it.
    private func verify(
        _ user: UInt8, _ password: String, _ size: PasswordSize, _ bmc: BMCAccess, _ session: inout OpenSession,
        _ doing: String
    ) async throws {
        let (code, _) = try await session.ask(.testPassword(user, password, size: size))
        guard code != .passwordDiffers, code != .passwordSizeDiffers else {
            throw session.fault(doing, .notDone, "accepted, and it is another one when tested (\(code))")
        }
        var changed = bmc
        changed.password = password
        do {
            _ = try await power(of: changed)
        } catch let error as BMCError where error.reason == .credentials {
            throw session.fault(doing, .notDone, "accepted, and no session opens with it: \(error.detail)")
        }
    }
}
