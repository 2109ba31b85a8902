import Inventory
import Testing

@testable import Controllers

/// Which hardware profiles count: files of the daemon before those that people applied.
@Suite struct ProfileBookTests {
    private static func profile(_ name: String, from origin: String) -> HardwareProfile {
        HardwareProfile(name: name, match: .machine("product", "any"), labels: ["from": origin])
    }

    @Test("an applied profile never takes the place of a file's, also when the file came later")
    func files() {
        let book = ProfileBook([Self.profile("rack", from: "file")])
        book.apply(["rack", "shelf"].map { Self.profile($0, from: "person") }, revision: 2)
        #expect(book.profiles.map(\.name).sorted() == ["rack", "shelf"])
        #expect(book.profile(named: "rack")?.labels == ["from": "file"])
        #expect(book.isFile("rack") && !book.isFile("shelf"))
    }

    @Test("what is older than what is known changes nothing, and news are matched with all machines again")
    func revisions() {
        let book = ProfileBook([])
        book.apply([Self.profile("new", from: "person")], revision: 5)
        book.noteMatched(5)
        #expect(book.isMatched)
        book.apply([Self.profile("old", from: "person")], revision: 4)
        #expect(book.profiles.map(\.name) == ["new"] && book.isMatched)
        book.apply([], revision: 6)
        #expect(book.profiles.isEmpty && !book.isMatched)
    }
}
