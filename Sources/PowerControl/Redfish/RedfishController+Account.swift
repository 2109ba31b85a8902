import Machines
import Redfish

extension RedfishController {
    public func changePassword(to password: String, on bmc: BMCAccess) async throws {
        var renewed = bmc
        renewed.password = password
        try await run(bmc, "change the password") { session in
            await session.keep(secret: password)
            let path = try await account(password, session)
            do {
                let answer = try await session.patch(path, ["Password": .string(password)], note: "Password")
                guard answer.isGood else { throw await session.refusal(answer, "the new password of \(bmc.username)") }
                _ = try await session.settled(answer, "the new password")
            } catch let error as BMCError where error.reason == .outcomeUnknown || error.reason == .credentials {
                // Its answer was lost, or the session went with the old password: a login with the new one tells.
            }
            let deadline = ContinuousClock.now.advanced(by: min(bmc.settle, .seconds(30)))
            var refusals = 0
            while true {
                do {
                    return try await run(renewed, "log in with the new password") { try await $0.showLogin() }
                } catch let error as BMCError {
                    let isRefusal = error.reason == .credentials
                    if isRefusal { refusals += 1 }
                    // Silence is waited out; a refusal is asked about once more, for a BMC that takes a while.
                    guard ContinuousClock.now < deadline, error.reason != .certificate, refusals < 2 else {
                        throw try await verdict(session, error)
                    }
                    try await Task.sleep(for: isRefusal ? limits.relogin : limits.poll)
                }
            }
        }
    }

    /// The account to change: the one that the service named when it demanded a change, or the one with the user's name.
    private func account(_ password: String, _ session: RedfishSession) async throws -> ResourcePath {
        let user = session.bmc.username
        // Before anything else: a login tells whether a change is demanded.
        do {
            try await session.showLogin()
            guard let service = try await session.serviceRoot().accountService else {
                throw await session.error(.unsupported, "its service has no accounts")
            }
            let json = try await session.get(service).json
            let bounds = (json["MinPasswordLength"]?.integer ?? 0, json["MaxPasswordLength"]?.integer ?? 0)
            guard password.count >= bounds.0, bounds.1 <= 0 || password.count <= bounds.1 else {
                throw await session.error(
                    .refused, "it takes passwords of \(bounds.0) to \(bounds.1) characters; nothing was changed")
            }
            guard let list = json.link("Accounts") else {
                throw await session.error(.unsupported, "its service has no accounts")
            }
            let accounts = try await session.members(of: list, most: 128).compactMap { ManagerAccount($0) }
                .filter { $0.userName == user }
            guard accounts.count == 1 else {
                throw await session.error(
                    .refused, "it lists \(accounts.count) accounts with the name \(user); nothing was changed")
            }
            return accounts[0].path
        } catch let error as BMCError where error.reason == .credentials {
            guard let path = await session.accountInNeed ?? nil else { throw error }
            return path
        }
    }

    /// Neither of two passwords is believed without a login.
    private func verdict(_ session: RedfishSession, _ error: BMCError) async throws -> BMCError {
        guard error.reason == .credentials else {
            return await session.error(
                .outcomeUnknown,
                "it was given the new password, and does not answer a login since: either password may be the one (\(error.detail))"
            )
        }
        let isOld = (try? await run(session.bmc, "log in with the old password") { try await $0.showLogin() }) != nil
        return !isOld
            ? await session.error(
                .outcomeUnknown, "it was given the new password, and takes neither that nor the old one since")
            : await session.error(
                .notDone, "it accepted the new password, and still takes the old one and not the new one")
    }
}
