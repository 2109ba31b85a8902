import APIModel
import FoundationEssentials
import Inventory
import Machines

/// A wipe certificate as a page to print: A4, and nothing that is loaded from elsewhere.
enum CertificatePage {
    static func html(_ certificate: CertificateView) -> String {
        let statement = certificate.statement
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Wipe certificate \(statement.sequence): \(statement.machine.name)</title>
            <style>\(style)</style>
            </head>
            <body>
            <header>
            <p class="issuer">\(statement.installation.name)</p>
            <h1>Wipe certificate \(statement.sequence)</h1>
            <p class="verdict">\(verdict(statement))</p>
            </header>
            \(facts(statement))
            <h2>Erased disks</h2>
            \(statement.disks.map(disk))
            \(leftAlone(statement.leftAlone))
            \(proof(certificate))
            </body>
            </html>

            """
        return page.text
    }

    private static func verdict(_ statement: WipeStatement) -> HTML {
        let count = statement.disks.count
        let disks = "\(count) \(count == 1 ? "disk" : "disks")"
        let reached: HTML =
            switch statement.category {
            case .none:
                "\(disks) made to look blank. <strong>This is no sanitization</strong> in the sense of NIST SP 800-88 Rev. 2."
            case .clear, .purge:
                "\(disks) erased. Category <strong>\(statement.category.rawValue)</strong> of NIST SP 800-88 Rev. 2."
            }
        guard !statement.leftAlone.isEmpty else { return reached }
        let rest = statement.leftAlone.count
        return "\(reached) <strong>\(rest) \(rest == 1 ? "disk was" : "disks were") left alone</strong>, see below."
    }

    private static func facts(_ statement: WipeStatement) -> HTML {
        let machine = statement.machine
        let product = [machine.manufacturer, machine.product].compactMap { $0 }.joined(separator: " ")
        return table([
            ("Machine", "\(machine.name) (\(machine.id))"), ("Product", product),
            ("Serial number", machine.serial ?? "not known"), ("UUID", machine.uuid ?? "not known"),
            ("Asked for by", statement.requestedBy), ("Approved by", statement.approvedBy ?? "nobody was asked"),
            ("Operation", statement.operation), ("Policy", statement.policy.words),
            ("Begun", time(statement.startedAt)), ("Ended", time(statement.endedAt)),
            ("Issued", time(statement.issuedAt)),
            ("Software", "slipway-agent \(statement.agentVersion), slipwayd \(statement.daemonVersion)"),
        ])
    }

    private static func disk(_ disk: WipeStatement.ErasedDisk) -> HTML {
        let verified =
            disk.verification.map { "\($0.kind): \($0.bytes) bytes read back; \($0.finding)" }
            ?? "nothing was read back"
        let rows = [
            ("Model", disk.model ?? "not known"), ("Serial number", disk.serial ?? "none"), ("WWN", disk.wwn ?? "none"),
            ("Firmware", disk.firmware ?? "not known"),
            ("Size", "\(disk.sizeBytes) bytes, \(disk.transport), \(disk.path)"),
            ("Method", "\(disk.method): \(disk.term)"), ("Category", disk.category.words),
            ("Begun", time(disk.startedAt)), ("Ended", time(disk.endedAt)), ("Verification", verified),
            ("Result", disk.result),
        ]
        let facts = table(rows + disk.remarks.map { ("Remark", $0) })
        return "<section class=\"disk\"><h3>\(disk.serial ?? disk.wwn ?? disk.path)</h3>\(facts)</section>\n"
    }

    private static func leftAlone(_ disks: [WipeStatement.LeftAlone]) -> HTML {
        guard !disks.isEmpty else { return "" }
        let rows = disks.map { disk -> HTML in
            let name = [disk.model, disk.serial ?? disk.wwn, disk.path].compactMap { $0 }.joined(separator: ", ")
            return "<tr><th>\(name)</th><td>\("\(disk.sizeBytes) bytes, \(disk.transport)"): \(disk.reason)</td></tr>\n"
        }
        return "<h2>Disks left alone</h2>\n<p>They hold what they held.</p>\n<table>\(rows)</table>\n"
    }

    private static func proof(_ certificate: CertificateView) -> HTML {
        let statement = certificate.statement
        return """
            <h2>Proof</h2>
            \(table([
                ("Installation", statement.installation.id), ("Signed with", "Ed25519, key \(statement.installation.key)"),
                ("Signature", certificate.signature.base64EncodedString()), ("This certificate", certificate.digest),
                ("The one before", statement.previous ?? "none: this is the first"),
            ]))
            <p class="note">This page shows what the signed certificate says and is no proof by itself: keep the JSON file too
            (<code>slipway certificate show \(certificate.id) --format json</code>). <code>slipway certificate verify</code> checks it
            without a network.</p>
            """
    }

    private static func table(_ rows: [(String, String)]) -> HTML {
        "<table>\(rows.filter { !$0.1.isEmpty }.map { row -> HTML in "<tr><th>\(row.0)</th><td>\(row.1)</td></tr>\n" })</table>\n"
    }

    private static func time(_ date: Date) -> String { RFC3339.format(date) }

    private static let style: HTML = """
        @page { size: A4; margin: 16mm 15mm; }
        * { box-sizing: border-box; }
        body { font: 10pt/1.4 "Liberation Sans", Arial, Helvetica, sans-serif; color: #111; max-width: 180mm; margin: 8mm auto; padding: 0 4mm; }
        header { border-bottom: 2pt solid #111; margin-bottom: 5mm; }
        .issuer { margin: 0; color: #444; }
        h1 { font-size: 20pt; margin: 0; }
        h2 { font-size: 13pt; margin: 6mm 0 2mm; break-after: avoid; }
        h3 { font: bold 11pt monospace; margin: 0 0 1mm; }
        .verdict { font-size: 11.5pt; margin: 2mm 0 3mm; }
        table { border-collapse: collapse; width: 100%; }
        th { text-align: left; vertical-align: top; font-weight: normal; color: #444; width: 33mm; padding: .6mm 3mm .6mm 0; }
        td { vertical-align: top; padding: .6mm 0; overflow-wrap: anywhere; }
        .disk { border: .5pt solid #888; padding: 3mm; margin-bottom: 3mm; break-inside: avoid; }
        .note { color: #444; font-size: 9pt; }
        @media print { body { margin: 0; padding: 0; max-width: none; } }
        """
}
