import APIModel
import Controllers
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Machines

/// `/api/v1/certificates`: proofs of wipes; `?machine=` narrows to one machine. They are not secret, and never change.
struct CertificateRoutes {
    let certificates: CertificateBook
    let machines: MachineService

    func register(on group: RouterGroup<APIContext>) {
        group.get("certificates", use: list)
            .get("certificates/key", use: key)
            .get("certificates/{certificate}", use: show)
            .get("certificates/{certificate}/page", use: page)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        var id: String?
        if let reference = request.uri.queryParameters["machine"].map(String.init) {
            do {
                id = try await machines.machine(reference).id
            } catch let error as ServiceError where error.kind == .notFound {
                // Its certificates outlive a machine: they are found by the id that they name.
                id = reference
            }
        }
        let views = try await certificates.certificates(of: id).map { try CertificateSummary($0) }
        return try .json(ListView(items: views, revision: 0))
    }

    @Sendable func show(_ request: Request, context: APIContext) async throws -> Response {
        try .json(try await view(context))
    }

    @Sendable func page(_ request: Request, context: APIContext) async throws -> Response {
        let html = CertificatePage.html(try await view(context))
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8",
                // Nothing is loaded and nothing runs, whatever a drive calls itself.
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'",
            ], body: .init(byteBuffer: .init(string: html)))
    }

    /// PEM, as `openssl` reads it.
    @Sendable func key(_ request: Request, context: APIContext) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/x-pem-file"],
            body: .init(byteBuffer: .init(string: CertificateKey.pem(certificates.publicKey))))
    }

    private func view(_ context: APIContext) async throws -> CertificateView {
        try CertificateView(try await certificates.certificate(try context.parameters.require("certificate")))
    }
}
