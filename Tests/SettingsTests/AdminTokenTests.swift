import Primitives
import Settings
import Testing

/// The token of the admin listener (`admin-token-file`).
@Suite struct AdminTokenTests {
    private static let secret = "s3cret-of-16-or-more"

    private func token(_ content: String) throws(AdminToken.Fault) -> AdminToken {
        try AdminToken(fileContent: Array(content.utf8))
    }

    private func admits(_ fields: String...) throws -> Bool {
        try token(Self.secret).admits(fields.map { Array($0.utf8) })
    }

    private func basic(_ pair: String) -> String {
        "Basic " + String(decoding: Base64.encode(Array(pair.utf8).span), as: UTF8.self)
    }

    @Test(
        "admin-token-file: white space around the token, and lines without anything, make no difference",
        arguments: [secret, secret + "\n", "  \(secret) \r\n", "\(secret)\n\n \n"])
    func read(content: String) throws {
        #expect(try token(content) == token(Self.secret))
        #expect(try token(content).authorization == "Bearer \(Self.secret)")
    }

    @Test(
        "admin-token-file: what has no token, a short one, or more than one is refused, and not shown",
        arguments: [
            "", "\n", "   ", "short-secret-15", "\(secret)\n\(secret)", "two words in one line", "\(secret)é",
            "\(secret)\u{0}", "\n\(secret)", String(repeating: "a", count: 1_025),
        ])
    func refused(content: String) throws {
        let fault = try #require(throws: AdminToken.Fault.self) { try token(content) }
        #expect(!fault.words.contains("secret") && fault.words.hasPrefix("has "))
    }

    @Test("admin-token-file: the token opens, as Bearer or as the password of any user")
    func admitsToken() throws {
        #expect(try admits("Bearer \(Self.secret)"))
        #expect(try admits("bearer   \(Self.secret)"))
        #expect(try admits(basic("operator:\(Self.secret)")))
        #expect(try admits(basic(":\(Self.secret)")))
        let odd = try token("with:colons:and-more")
        #expect(odd.admits([Array(basic("u:with:colons:and-more").utf8)]))
    }

    @Test("admin-token-file: anything else does not")
    func refusesOthers() throws {
        #expect(try !admits())
        #expect(try !admits("Bearer \(Self.secret)", "Bearer \(Self.secret)"))
        for field in [
            "", " ", "Bearer", "Bearer ", Self.secret, "Bearer \(Self.secret)x", "Bearer \(Self.secret.dropLast())",
            "Bearer \(Self.secret.uppercased())", "Bearer \(Self.secret) ", "Digest \(Self.secret)",
            "Basic \(Self.secret)",
            "Basic ", basic(Self.secret), basic("\(Self.secret):"), basic("u:\(Self.secret)x"), basic("u:"),
            "Basic !!!!",
            "Bearer " + String(repeating: "a", count: 100_000),
        ] {
            #expect(try !admits(field), "\(field.prefix(60))")
        }
        // Each single wrong character is enough.
        for index in Self.secret.indices {
            var wrong = Self.secret
            wrong.replaceSubrange(index...index, with: "!")
            #expect(try !admits("Bearer \(wrong)"))
        }
    }

    @Test("admin-token-file: no way of printing shows it")
    func isNotPrinted() throws {
        let token = try token(Self.secret)
        var dumped = ""
        dump(token, to: &dumped)
        for text in ["\(token)", String(reflecting: token), dumped, "\([token])", "\(Optional(token) as Any)"] {
            #expect(!text.contains("s3cret") && !text.contains("115"))
        }
    }
}
