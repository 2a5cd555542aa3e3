import BOSHCore
import Testing

/// The `sid` that a body names, found without parsing it.
@Suite struct SessionMentionTests {
    private static let sid = "n1.42.0123456789abcdeffedcba9876543210"

    private static func find(_ body: String) -> SessionID? { find(Array(body.utf8)) }

    private static func find(_ body: [UInt8]) -> SessionID? { SessionID(mentionedIn: body.span) }

    @Test(
        "S-02 the sid is found wherever it stands among the attributes",
        arguments: [
            "<body sid='\(sid)'/>", "<body sid=\"\(sid)\" rid='1'>", "<body rid='1' sid='\(sid)' xmlns='urn:x'/>",
            "<body\n\trid='1'\r\n  sid='\(sid)'>x</body>", "<body a=\"it's\" b='\"' xsid='n1.1.x' sid='\(sid)'/>",
            "<body a='>' sid='\(sid)'/>", "<body a='sid=' sid='\(sid)'/>", "<body a='1' sid='\(sid)'",
        ])
    func found(body: String) {
        #expect(Self.find(body)?.text == Self.sid)
        #expect(Self.find(body)?.worker == 42)
    }

    @Test(
        "where only a parser can tell, nothing is found",
        arguments: [
            "", "<body", "<body/>", "<body>", "<body >", "<bodysid='\(sid)'/>", "<bodyx sid='\(sid)'/>",
            " <body sid='\(sid)'/>", "<?xml version='1.0'?><body sid='\(sid)'/>", "<b:body sid='\(sid)'/>",
            "<body sid = '\(sid)'/>", "<body sid=\(sid)/>", "<body sid='\(sid)", "<body sid='n1.42.&#48;'/>",
            "<body a='<' sid='\(sid)'/>", "<body><message sid='\(sid)'/></body>", "<body / sid='\(sid)'/>",
            "<body x:sid='\(sid)'/>", "<body SID='\(sid)'/>", "<body a='1'sid='\(sid)'/>", "<body a sid='\(sid)'/>",
            "<body sid=''/>", "<body sid", "<body sid=", "<body sid='",
        ])
    func notFound(body: String) {
        #expect(Self.find(body) == nil)
    }

    @Test("the first sid counts, also when it is none of ours")
    func first() {
        #expect(Self.find("<body sid='other' sid='\(Self.sid)'/>") == nil)
    }

    @Test("a body that is cut anywhere, or damaged at any byte, traps nothing")
    func damaged() {
        let body = Array("<body rid='1' sid='\(Self.sid)' a=\"b\"><message/></body>".utf8)
        for count in body.indices {
            let isWhole = count > body.count - "' a=\"b\"><message/></body>".utf8.count
            #expect((Self.find(Array(body.prefix(count))) != nil) == isWhole, "cut to \(count)")
            for byte in [0, 0x20, 0x27, 0x3C, 0x3E, 0xFF] as [UInt8] {
                var damaged = body
                damaged[count] = byte
                _ = Self.find(damaged)
            }
        }
    }
}
