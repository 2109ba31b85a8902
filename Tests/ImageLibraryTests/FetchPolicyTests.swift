import Foundation
import NetworkAddresses
import Testing

@testable import ImageLibrary

@Suite struct FetchPolicyTests {
    @Test(
        "addresses that are not of the public Internet",
        arguments: [
            "10.1.2.3", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
            "198.18.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "255.255.255.255", "0.0.0.0", "::1",
            "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "::ffff:a00:1", "64:ff9b::a00:1",
        ])
    func notPublic(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!FetchPolicy.isPublic(address))
        #expect(throws: FetchError.self) { try FetchPolicy().check(address, of: "x") }
        #expect(throws: Never.self) { try FetchPolicy(allowsPrivateAddresses: true).check(address, of: "x") }
    }

    @Test(
        "addresses that are",
        arguments: [
            "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.0.1.1", "2a00:1450::1",
            "::ffff:808:808",
        ])
    func isPublic(text: String) throws { #expect(FetchPolicy.isPublic(try #require(IPAddress(text)))) }

    @Test(
        "what is no URL of http or https is not asked",
        arguments: [
            "file:///etc/passwd", "ftp://example.org/x", "gopher://example.org", "/etc/passwd", "", "https://",
            "http:///x",
            "https://user:word@example.org/", "HTTPS", "data:,x",
        ])
    func refused(text: String) { #expect(throws: FetchError.self) { try FetchPolicy.target(text) } }

    @Test("hosts and ports")
    func targets() throws {
        #expect(try FetchPolicy.target("https://a.example/x") == .init(scheme: "https", host: "a.example", port: 443))
        #expect(try FetchPolicy.target("http://a:8080/") == .init(scheme: "http", host: "a", port: 8080))
        #expect(try FetchPolicy.target("http://[2a00::1]:81/") == .init(scheme: "http", host: "2a00::1", port: 81))
    }

    @Test("a proxy is chosen as curl chooses it")
    func proxies() throws {
        func proxy(_ url: String, _ environment: [String: String]) throws -> String? {
            try FetchPolicy(environment: environment).proxy(for: FetchPolicy.target(url)).map {
                "\($0.host):\($0.port)"
            }
        }
        let all = [
            "https_proxy": "http://proxy:3128", "http_proxy": "proxy:80", "no_proxy": "lab.example, .own,10.0.0.1",
        ]
        #expect(try proxy("https://a.example/", [:]) == nil)
        #expect(try proxy("https://a.example/", all) == "proxy:3128")
        #expect(try proxy("http://a.example/", all) == "proxy:80")
        for host in ["lab.example", "x.lab.example", "y.own", "10.0.0.1"] {
            #expect(try proxy("https://\(host)/", all) == nil)
        }
        #expect(try proxy("https://notlab.example/", all) == "proxy:3128")
        #expect(try proxy("https://a/", ["HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"]) == nil)
    }
}
