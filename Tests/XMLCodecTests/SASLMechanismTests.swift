import Testing

@testable import XMLCodec

@Suite("SASLMechanism")
struct SASLMechanismTests {
    @Test(
        "EXTERNAL, however it is written",
        arguments: ["EXTERNAL", "external", "ExTeRnAl", " EXTERNAL", "EXTERNAL\t", "\r\n external \n"])
    func external(name: String) {
        #expect(SASLMechanism.isExternal(name.utf8))
        #expect(!SASLMechanism.bindsTokenToChannel(name.utf8))
    }

    @Test(
        "other mechanisms",
        arguments: ["", " ", "PLAIN", "EXTERNAL2", "XEXTERNAL", "EXT ERNAL", "\u{A0}EXTERNAL", "EXTERNA", "ＥXTERNAL"])
    func others(name: String) {
        #expect(!SASLMechanism.isExternal(name.utf8))
        #expect(!SASLMechanism.bindsTokenToChannel(name.utf8))
    }

    @Test(
        "tokens bound to a channel",
        arguments: ["HT-SHA-256-ENDP", "ht-sha-512-expr ", "\nHT-SHA-256-UNIQ", "HT-X", "HT-"])
    func channelBinding(name: String) {
        #expect(SASLMechanism.bindsTokenToChannel(name.utf8))
        #expect(!SASLMechanism.isExternal(name.utf8))
    }

    @Test(
        "tokens that are not",
        arguments: ["HT-SHA-256-NONE", "ht-sha-512-none ", "SCRAM-SHA-1-PLUS", "XHT-SHA-256-ENDP"])
    func unboundTokens(name: String) {
        #expect(!SASLMechanism.bindsTokenToChannel(name.utf8))
    }

    @Test("white space at both ends, and nothing but it")
    func trimming() {
        #expect(Array(" a b\t\n".utf8).trimmingXMLSpace.elementsEqual("a b".utf8))
        #expect(Array("a".utf8).trimmingXMLSpace.elementsEqual("a".utf8))
        #expect(Array(" \r\n".utf8).trimmingXMLSpace.isEmpty)
        #expect([UInt8]().trimmingXMLSpace.isEmpty)
    }
}
