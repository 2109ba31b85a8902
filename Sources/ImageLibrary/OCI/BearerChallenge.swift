import Foundation

/// What a registry wants before it answers, by its `WWW-Authenticate` (RFC 9110 section 11.6.1; Docker Registry v2, "Token Authentication Specification").
struct BearerChallenge: Equatable {
    var realm: String
    var service: String?
    var scope: String?

    /// Nil: another one, such as Basic, or none.
    init?(_ header: String) {
        guard header.lowercased().hasPrefix("bearer ") else { return nil }
        var rest = header.dropFirst(7)
        var values: [String: String] = [:]
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].drop { $0 == " " || $0 == "," }.lowercased()
            rest = rest[rest.index(after: equals)...]
            let value: Substring
            if rest.first == "\"" {
                rest = rest.dropFirst()
                guard let end = rest.firstIndex(of: "\"") else { return nil }
                (value, rest) = (rest[..<end], rest[rest.index(after: end)...])
            } else {
                let end = rest.firstIndex(of: ",") ?? rest.endIndex
                (value, rest) = (rest[..<end], rest[end...])
            }
            if values[name] == nil { values[name] = String(value) }
        }
        guard let realm = values["realm"], !realm.isEmpty else { return nil }
        (self.realm, service, scope) = (realm, values["service"], values["scope"])
    }

    /// Where a token for reading is had without a name; nil: nowhere.
    func url(repository: String) -> String? {
        guard var url = URLComponents(string: realm) else { return nil }
        var items = url.queryItems ?? []
        if let service { items.append(URLQueryItem(name: "service", value: service)) }
        items.append(URLQueryItem(name: "scope", value: scope ?? "repository:\(repository):pull"))
        url.queryItems = items
        return url.string
    }

    /// The token in a server's answer.
    static func token(in answer: Data) -> String? {
        struct Answer: Decodable {
            var token: String?
            var access_token: String?
        }
        let found = try? JSONDecoder().decode(Answer.self, from: answer)
        // A part of a header line (RFC 6750 section 2.1).
        guard let token = found?.token ?? found?.access_token, !token.isEmpty,
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        return token
    }
}
