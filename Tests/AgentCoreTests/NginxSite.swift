import Foundation
import TestSupport
import Testing

/// nginx over a folder with one file, `image`, and a log of what it was asked.
struct NginxSite {
    let directory: String
    let port = FreePort.tcp()

    var url: String { "http://127.0.0.1:\(port)/image" }
    var asked: [String] {
        ((try? String(contentsOfFile: directory + "/access.log", encoding: .utf8)) ?? "").split(separator: "\n")
            .map(String.init)
    }

    func start(_ extra: String = "") async throws -> ChildProcess {
        try """
        daemon off; master_process off; pid \(directory)/nginx.pid; error_log \(directory)/error.log;
        events {}
        http {
            log_format asked '$status $http_range $http_if_range'; access_log \(directory)/access.log asked;
            client_body_temp_path \(directory)/t1; proxy_temp_path \(directory)/t2; fastcgi_temp_path \(directory)/t3;
            uwsgi_temp_path \(directory)/t4; scgi_temp_path \(directory)/t5;
            server { listen 127.0.0.1:\(port) reuseport; root \(directory); \(extra) }
        }
        """.write(toFile: directory + "/nginx.conf", atomically: true, encoding: .utf8)
        let child = try ChildProcess("nginx", ["-c", directory + "/nginx.conf", "-e", directory + "/error.log"])
        let answers = await eventually {
            (try? await ChildProcess.run("curl", ["--silent", "--output", "/dev/null", url + "x"]))?.status == 0
        }
        try #require(answers, "\(child.output)")
        return child
    }

    func put(_ content: Data) throws { try content.write(to: URL(filePath: directory + "/image")) }
}
