import Testing

@testable import XMLCodec

@Suite("SASLMechanism")
struct SASLMechanismTests {
    @Test(
        "EXTERNAL, however it is written",
        arguments: ["EXTERNAL", "external", "ExTeRnAl", " EXTERNAL", "EXTERNAL\t", "\r\n external \n"])
    func external(name: String) {
        #expect(SASLMechanism.isExternal(name.utf8))
        #expect(!SASLMechanism.bindsToChannel(name.utf8))
    }

    @Test(
        "other mechanisms",
        arguments: ["", " ", "PLAIN", "EXTERNAL2", "XEXTERNAL", "EXT ERNAL", "\u{A0}EXTERNAL", "EXTERNA", "ＥXTERNAL"])
    func others(name: String) {
        #expect(!SASLMechanism.isExternal(name.utf8))
        #expect(!SASLMechanism.bindsToChannel(name.utf8))
    }

    @Test("channel binding", arguments: ["SCRAM-SHA-1-PLUS", "scram-sha-256-plus ", "\nX-PLUS", "-PLUS"])
    func channelBinding(name: String) {
        #expect(SASLMechanism.bindsToChannel(name.utf8))
        #expect(!SASLMechanism.isExternal(name.utf8))
    }

    @Test("white space at both ends, and nothing but it")
    func trimming() {
        #expect(Array(" a b\t\n".utf8).trimmingXMLSpace.elementsEqual("a b".utf8))
        #expect(Array("a".utf8).trimmingXMLSpace.elementsEqual("a".utf8))
        #expect(Array(" \r\n".utf8).trimmingXMLSpace.isEmpty)
        #expect([UInt8]().trimmingXMLSpace.isEmpty)
    }
}
