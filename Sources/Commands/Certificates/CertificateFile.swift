import APIClient
import APIModel
import Crypto
import Foundation
import Machines

/// Certificates in files: the JSON of ``CertificateView``.
enum CertificateFile {
    /// Why files are not believed.
    struct Fault: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    /// A certificate of a thousand disks has less.
    private static let most = 16 << 20

    static func text(_ view: CertificateView) throws -> String {
        let encoder = APICoding.encoder
        encoder.outputFormatting.insert(.prettyPrinted)
        return String(decoding: try encoder.encode(view), as: UTF8.self) + "\n"
    }

    static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ClientError("\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    static func text(at path: String) throws -> String {
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            guard data.count <= most else { throw ClientError("\(path) is too large for what it should be") }
            return String(decoding: data, as: UTF8.self)
        } catch let error as ClientError {
            throw error
        } catch {
            throw ClientError("\(path) cannot be read: \(error.localizedDescription)")
        }
    }

    /// Reads files, and every `.json` of directories.
    static func read(_ paths: [String]) throws -> [(path: String, view: CertificateView?)] {
        try paths.flatMap { path -> [String] in
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
                return [path]
            }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return names.filter { $0.hasSuffix(".json") }.sorted().map { path + "/" + $0 }
        }.map { path in
            let text = try text(at: path)
            return (path, try? APICoding.decoder.decode(CertificateView.self, from: Data(text.utf8)))
        }
    }

    /// What the certificates say, by number.
    /// - Throws: ``Fault``, `CertificateFault`.
    static func check(
        _ files: [(path: String, view: CertificateView?)], key: Curve25519.Signing.PublicKey, isPartial: Bool
    ) throws -> [WipeStatement] {
        guard !files.isEmpty else { throw Fault(description: "there is no certificate") }
        let views = try files.map { file in
            guard let view = file.view else { throw Fault(description: "\(file.path) is no wipe certificate") }
            // The signature first: where it is wrong, that is the reason.
            _ = try view.certificate.statement(signedBy: key)
            if let contradiction = view.contradiction {
                throw Fault(description: "\(file.path): it was altered: \(contradiction)")
            }
            return view
        }
        // In which order files are named means nothing.
        let certificates = views.sorted { $0.statement.sequence < $1.statement.sequence }.map(\.certificate)
        guard isPartial || views.count == 1 else { return try CertificateChain.check(certificates, key: key) }
        // Neighbours still have to be linked.
        var runs: [[WipeCertificate]] = []
        for (certificate, view) in zip(certificates, views.sorted { $0.statement.sequence < $1.statement.sequence }) {
            let previous = try runs.last?.last?.statement().sequence
            if let previous, view.statement.sequence <= previous + 1 {
                runs[runs.count - 1].append(certificate)
            } else {
                runs.append([certificate])
            }
        }
        return try runs.flatMap { try CertificateChain.check($0, key: key, isWhole: false) }
    }
}
