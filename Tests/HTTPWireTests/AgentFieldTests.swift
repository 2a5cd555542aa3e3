import Testing

@testable import HTTPWire

/// What is kept of a request for the access log alone.
@Suite struct AgentFieldTests {
    private static let request = """
        POST /http-bind HTTP/1.1\r
        Host: a\r
        REFERER: https://a.example/x \r
        User-agent: one\r
        user-agent: \t two (é) \r
        Content-Length: 0\r
        \r

        """

    private func read(_ text: [UInt8], keepsAgents: Bool) throws -> (request: HTTPRequest, wire: [UInt8]) {
        var connection = HTTPConnection(rules: HTTPRules(limits: HTTPLimits(), keepsAgents: keepsAgents))
        var offset = 0
        guard case .request(let request)? = connection.next(text.span, offset: &offset) else {
            throw NoRequest()
        }
        var wire: [UInt8] = []
        connection.appendWire(request, to: &wire)
        return (request, wire)
    }

    private struct NoRequest: Error {}

    @Test("access-log: the last Referer and User-Agent are kept as they came, in one piece or in several")
    func keeps() throws {
        let bytes = Array(Self.request.utf8)
        var connection = HTTPConnection(rules: HTTPRules(limits: HTTPLimits(), keepsAgents: true))
        for (index, byte) in bytes.enumerated() {
            var offset = 0
            let event = connection.next([byte].span, offset: &offset)
            guard index == bytes.count - 1 else { continue }
            guard case .request(let request)? = event else { throw NoRequest() }
            let whole = try read(bytes, keepsAgents: true).request
            #expect(request.head == whole.head)
            #expect(request.head.referer == Array("https://a.example/x".utf8))
            #expect(request.head.agent == Array("two (é)".utf8))
        }
    }

    @Test("access-log: without it nothing is kept")
    func keepsNothing() throws {
        let (request, wire) = try read(Array(Self.request.utf8), keepsAgents: false)
        #expect(request.head.referer.isEmpty && request.head.agent.isEmpty)
        #expect(!String(decoding: wire, as: UTF8.self).contains("two"))
    }

    @Test("access-log: the worker that takes over a connection reads the same")
    func isWrittenAgain() throws {
        let bytes = Array(Self.request.utf8)
        let (request, wire) = try read(bytes, keepsAgents: true)
        #expect(wire.count <= bytes.count)
        let again = try read(wire, keepsAgents: true).request
        #expect(again.head.referer == request.head.referer && again.head.agent == request.head.agent)
    }
}
