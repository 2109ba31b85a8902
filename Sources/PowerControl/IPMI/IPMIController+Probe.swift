import IPMI
import Machines

extension IPMIController {
    /// What answers by IPMI at an address: first without logging in, then, with credentials, what it says of itself.
    /// - Parameters:
    ///   - address: an IP address.
    ///   - port: UDP, 623 as a rule.
    public func probe(
        address: String, port: Int = BMCKind.ipmi.defaultPort, credentials: (username: String, password: String)?
    ) async -> BMCProbe.Finding {
        var finding = BMCProbe.Finding(kind: .ipmi, port: port, outcome: .absent)
        do {
            let (capabilities, suites) = try await Self.greet(address, port, times)
            guard let capabilities else {
                finding.problem = "\(BMCError.silent(address, "ask what it can"))"
                return finding
            }
            finding.outcome = .answers
            finding.facts = Self.facts(capabilities, suites)
            guard capabilities.hasIPMI2 else {
                finding.problem = "it has sessions of IPMI 1.5 only, which are not encrypted"
                return finding
            }
            guard let credentials else { return finding }
            let access = BMCAccess(
                address: address, port: port, username: credentials.username, password: credentials.password)
            finding.description = try await describe(access)
        } catch {
            finding.problem = "\(error)"
        }
        return finding
    }

    private static func facts(_ capabilities: AuthenticationCapabilities, _ suites: [UInt8]) -> [String] {
        var facts = [capabilities.hasIPMI2 ? "IPMI 2.0" : "IPMI 1.5"]
        if !suites.isEmpty {
            facts.append("cipher suites \(suites.map(String.init).joined(separator: ", "))")
        }
        // Suite 0 lets anybody in who knows a user's name (CVE-2013-4784).
        if suites.contains(0) { facts.append("open door: cipher suite 0, a log-in without password") }
        if capabilities.allowsNoAuthentication { facts.append("open door: sessions without authentication (IPMI 1.5)") }
        if capabilities.allowsNamelessWithoutPassword {
            facts.append("open door: a log-in without name and password")
        } else if capabilities.allowsNamelessUsers {
            facts.append("log-ins without a name")
        }
        if capabilities.needsBMCKey { facts.append("a BMC key is set, which is not supported") }
        return facts
    }

    private static func greet(_ address: String, _ port: Int, _ times: IPMITimes) async throws -> (
        AuthenticationCapabilities?, [UInt8]
    ) {
        try await IPMILine.open(address: address, port: port) { line in
            let waits = Array(times.waits.prefix(3))
            func ask(_ request: Request, _ line: inout IPMILine, _ waits: [Duration]) async throws -> Response? {
                try await line.exchange(Probing.datagram(request), waits: waits) { Probing.response($0, to: request) }
            }
            guard let answer = try await ask(.authenticationCapabilities, &line, waits) else { return (nil, []) }
            guard answer.code == .success, let capabilities = AuthenticationCapabilities(answer: answer.data) else {
                throw BMCError(
                    address: address, doing: "ask what it can", reason: .refused, "\(answer.code)")
            }
            var records: [UInt8] = []
            // 64 parts of 16 bytes at most; a part that is not full is the last.
            for part in UInt8(0)..<64 {
                guard let answer = try await ask(.cipherSuites(part: part), &line, Array(waits.prefix(2))),
                    answer.code == .success
                else { break }
                let more = answer.data.dropFirst()
                records += more
                if more.count < 16 { break }
            }
            return (capabilities, CipherSuiteList.numbers(records))
        }
    }
}
