import Foundation
import Redfish
import TestSupport
import Testing

@Suite struct JSONTests {
    @Test(
        "reads what BMCs send",
        arguments: [
            (#"{"a":[1,-2.5e1,true,null,"x"]}"#, ["a": [1, -25.0, true, .null, "x"]]),
            ("\u{feff} [ ] \n\0\0", []),
            (#""\u00e4\ud83d\ude00\/\n""#, "ä😀/\n"),
            (#""\ud800x""#, "\u{fffd}x"),
            ("\"tab\there\"", "tab\there"),
            (#"{"a":1,"a":2}"#, ["a": 2]),
        ] as [(String, JSON)])
    func reads(text: String, value: JSON) throws {
        #expect(try JSON(parsing: Array(text.utf8)) == value)
    }

    @Test(
        "refuses what is no JSON",
        arguments: [
            "", "{", "[1,", #"{"a"}"#, #"{"a":}"#, "tru", "nan", "1e999", "--", #""abc"#, #""\u12"#, "[1] x", "<html>",
        ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: Array(text.utf8)) }
    }

    @Test("depth and number of values are bounded")
    func bounds() {
        #expect(throws: JSONError.self) { try JSON(parsing: [UInt8](repeating: 0x5b, count: 1 << 20)) }
        let many = Array(("[0" + String(repeating: ",0", count: JSON.mostValues) + "]").utf8)
        #expect(throws: JSONError.self) { try JSON(parsing: many) }
    }

    @Test("what is written is read back, whatever is in a string")
    func roundTrip() throws {
        let value: JSON = ["quote\"": "back\\slash\u{1}\r\n\t/ü", "number": 0.1, "whole": 80, "none": .null]
        #expect(try JSON(parsing: Array(value.description.utf8)) == value)
    }

    @Test("wrong types are as good as nothing")
    func tolerant() {
        let value: JSON = ["number": "41", "flag": "true", "blank": "  ", "list": "no", "huge": 1e300]
        #expect(value["number"]?.number == 41 && value["flag"]?.bool == true && value["blank"]?.text == nil)
        #expect(value["list"]?.array == nil && value["huge"]?.integer == nil)
    }
}

@Suite struct ResourcePathTests {
    @Test(
        "takes paths of the service, encoded",
        arguments: [
            ("/redfish/v1/Systems/1", "/redfish/v1/Systems/1"),
            ("/redfish/v1/Chassis/1/Thermal#/Fans/0", "/redfish/v1/Chassis/1/Thermal"),
            ("/redfish/v1/Logs?$skip=50", "/redfish/v1/Logs?$skip=50"),
            ("/redfish/v1/Disk.Bay.0:Enclosure 1", "/redfish/v1/Disk.Bay.0:Enclosure%201"),
            ("/redfish/v1/ä", "/redfish/v1/%C3%A4"),
        ])
    func takes(text: String, path: String) {
        #expect(ResourcePath(text)?.rawValue == path)
    }

    @Test(
        "refuses what leads elsewhere",
        arguments: [
            "https://evil.example/redfish/v1", "//evil.example/redfish/v1", "/etc/passwd", "redfish/v1", "", "/redfish",
            "/redfish/v1/../../etc", "/redfish/v1/%2e%2E/x", "/redfish/v1\r\nHost: evil", "/redfish/v1\\x",
            "/redfish/v1/\0",
            "/redfish/" + String(repeating: "a", count: 3000), "/redfish/" + String(repeating: "ä", count: 600),
        ])
    func refuses(text: String) {
        #expect(ResourcePath(text) == nil)
    }

    @Test("of an absolute Location only the path is used")
    func location() {
        #expect(ResourcePath(location: "https://ilo.example:443/redfish/v1/S/1/")?.rawValue == "/redfish/v1/S/1/")
        #expect(ResourcePath(location: "/redfish/v1/S/1")?.name == "1")
        #expect(ResourcePath(location: "https://evil.example") == nil)
        #expect(ResourcePath("/redfish/v1/S/1/") == ResourcePath("/redfish/v1/S/1"))
    }
}

@Suite struct SmallValueTests {
    @Test(
        "times",
        arguments: [
            ("2024-06-11T00:13:00-05:00", 1_718_082_780.0), ("2012-03-07T14:44:00Z", 1_331_131_440),
            ("2000-02-29T12:00:00.500Z", 951_825_600.5), ("2024-06-11T00:13:00", 1_718_064_780),
        ])
    func times(text: String, seconds: Double) {
        #expect(Timestamp.parse(text)?.timeIntervalSince1970 == seconds)
    }

    @Test("no times", arguments: ["", "now", "1970-01-01T00:00:17Z", "0000-00-00T00:00:00Z", "2024-13-01T00:00:00Z"])
    func noTimes(text: String) {
        #expect(Timestamp.parse(text) == nil)
    }

    @Test("messages of an error, in the forms there are")
    func messages() throws {
        // Dell; iLO 4 (goldyfruit/ansible-ilo issue 1); a service with a code alone.
        let bodies: [(JSON, String, Substring)] = [
            (
                [
                    "error": [
                        "code": "Base.1.5.GeneralError",
                        "@Message.ExtendedInfo": [["MessageId": "IDRAC.2.1.RAC0218", "Message": "Full."]],
                    ]
                ],
                "Full. (IDRAC.2.1.RAC0218)", "RAC0218"
            ),
            (
                [
                    "error": [
                        "@Message.ExtendedInfo": [
                            ["MessageID": "iLO.0.10.InvalidOperationForSystemState", "MessageArgs": ["Power is off"]]
                        ]
                    ]
                ],
                "Power is off (iLO.0.10.InvalidOperationForSystemState)", "InvalidOperationForSystemState"
            ),
            (
                ["error": ["code": "Base.1.0.GeneralError", "message": "No."]], "No. (Base.1.0.GeneralError)",
                "GeneralError"
            ),
        ]
        for (body, words, key) in bodies {
            let message = try #require(ServiceMessage.all(in: body).first)
            #expect(message.description == words)
            #expect(message.key == key)
        }
        #expect(ServiceMessage.all(in: .null).isEmpty && ServiceMessage.all(in: "x").isEmpty)
    }

    @Test("entity tags are tried as given, then as services have been seen to want them")
    func tags() {
        #expect(EntityTags(header: "\"1\"", body: "\"1\"").candidates == ["\"1\"", "*", nil])
        #expect(EntityTags(header: "W/\"1\"", body: "W/\"1\"").candidates == ["W/\"1\"", "\"1\"", "*", nil])
        #expect(EntityTags(header: "\"\"1\"\"", body: "\"1\"").candidates == ["\"\"1\"\"", "\"1\"", "*", nil])
        #expect(EntityTags().candidates == [nil, "*"])
        #expect(EntityTags(header: "a\r\nb").candidates == [nil, "*"])
    }

    @Test("server-sent events, whatever the parts in which they come", arguments: [1, 2, 3, 7, 1000])
    func serverSentEvents(size: Int) throws {
        let text = ": hello\r\n\r\nid: 1\r\ndata: {\"a\":1}\r\n\r\ndata:x\ndata: y\n\nevent: z\n\ndata: cut"
        var parser = ServerSentEvents()
        var events: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            events += try parser.receive(rest.prefix(size)).map { String(decoding: $0, as: UTF8.self) }
            rest = rest.dropFirst(size)
        }
        #expect(events == ["{\"a\":1}", "x\ny"])
        #expect(throws: ServerSentEvents.TooLong.self) {
            try parser.receive([UInt8](repeating: 0x61, count: ServerSentEvents.mostBytes + 1))
        }
    }
}
