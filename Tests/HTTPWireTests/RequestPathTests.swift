import Testing

@testable import HTTPWire

/// The resource that a request is for.
struct RequestPathTests {
    private func isFor(_ path: String, target: String, method: String = "POST") throws -> Bool {
        let reading = ChunkingVerifier().verify("\(method) \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
        return try #require(reading.requests.first).head.isFor(path)
    }

    @Test(
        "H-22: slashes at either end make no difference, in the setting neither",
        arguments: [
            "/http-bind", "//http-bind", "/http-bind//", "///http-bind///", "/http-bind/?a=/b",
            "http://h//http-bind/",
        ])
    func slashes(target: String) throws {
        for path in ["/http-bind", "/http-bind/", "//http-bind"] { #expect(try isFor(path, target: target)) }
        #expect(try !isFor("/", target: target))
    }

    @Test(
        "H-22: what stands between them does",
        arguments: [
            "/", "//", "/http-bindx", "/http//bind", "/http-bind/x", "/x/http-bind", "/HTTP-BIND", "/http%2Dbind",
        ])
    func others(target: String) throws {
        #expect(try !isFor("/http-bind", target: target))
    }

    @Test("H-22: the root")
    func root() throws {
        for target in ["/", "//", "/?x", "http://h"] { #expect(try isFor("/", target: target)) }
        #expect(try !isFor("/", target: "*", method: "OPTIONS"))
        #expect(try !isFor("/a//b", target: "/a/b"))
        #expect(try isFor("/a//b", target: "//a//b/"))
    }
}
