import TestSupport
import Testing

/// The media type that a client asks for (XEP-0124 §7.1).
@Suite struct ContentTypeTests {
    @Test(
        "H-07: exactly what was asked for is the type of all responses of the session",
        arguments: [
            "text/plain; charset=utf-8", "text/plain", "TEXT/XML;charset=\"UTF-8\"", "application/xml", "text/xml",
            "application/xml ; x=y",
        ])
    func honours(type: String) throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let client = BOSHClient(daemon)
        let attribute = type.replacing("\"", with: "&quot;")
        let request = try client.create("wait='60' hold='1' ver='1.6' content='\(attribute)'")
        let stream = try server.accept()
        try stream.open()
        let created = try request.httpAnswer()
        #expect(created.field("Content-Type") == type)
        #expect(created.field("X-Content-Type-Options") == "nosniff")
        try client.adopt(try BOSHBody(created.body))
        let poll = try client.send()
        try stream.send("<message/>")
        #expect(try poll.httpAnswer().field("Content-Type") == type)
        let held = try client.send()
        try daemon.settle()
        let end = try client.send("", rid: held.rid + 100).httpAnswer()
        #expect(end.field("Content-Type") == type)
        #expect(try BOSHBody(end.body).condition == "item-not-found")
        #expect(try held.httpAnswer().field("Content-Type") == type)
        // The daemon no longer knows what the client asked for.
        #expect(try client.send().httpAnswer().field("Content-Type") == "text/xml; charset=utf-8")
    }

    @Test(
        "H-07: who asks for what a browser would run, for no UTF-8 or for no media type gets the default type",
        arguments: [
            "text/html", "text/html; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/javascript",
            "text/xml; charset=iso-8859-1", "text/plain;charset=utf-16", "text", "text/", "/xml", "text/xml/x", ";",
            "text/xml&#13;&#10;Set-Cookie: a=b", "text/plain;&#10;a=b", "text/xml, text/html", "text/xml; charset",
            "text/x\u{E9}", "text/plain;\(String(repeating: "a", count: 10_000))=b",
            // A widely copied PHP library writes this.
            "text/xml charset=utf-8",
        ])
    func defaults(type: String) throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let client = BOSHClient(daemon)
        let request = try client.create("wait='60' hold='1' ver='1.6' content='\(type)'")
        try server.accept().open()
        let created = try request.httpAnswer()
        #expect(created.field("Content-Type") == "text/xml; charset=utf-8")
        #expect(created.field("X-Content-Type-Options") == "nosniff")
        #expect(created.field("Set-Cookie") == nil)
        try client.adopt(try BOSHBody(created.body))
        #expect(try client.exchange("type='terminate'").isTerminal)
    }
}
