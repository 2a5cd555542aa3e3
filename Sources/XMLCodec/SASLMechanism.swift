/// What the name of a SASL mechanism says about its connection.
enum SASLMechanism {
    /// Whether `name` is EXTERNAL, which takes the user from the certificate of the TLS connection (RFC 4422 §A). Here
    /// that is this program's own certificate, so a client would be logged in as this program. White space around the
    /// name and its case make no difference, because a server may ignore them too.
    static func isExternal(_ name: some Sequence<UInt8>) -> Bool {
        word(name).elementsEqual("EXTERNAL".utf8)
    }

    /// Whether `name` is a mechanism of FAST that binds to the channel. A client could not use such a token, because it
    /// knows only its channel to this program, not the server's. The name's last word tells the binding (XEP-0484
    /// §3.1).
    static func bindsTokenToChannel(_ name: some Sequence<UInt8>) -> Bool {
        let word = word(name)
        return word.prefix(3).elementsEqual("HT-".utf8) && !word.suffix(5).elementsEqual("-NONE".utf8)
    }

    /// The name in upper case, without white space around it.
    private static func word(_ name: some Sequence<UInt8>) -> [UInt8] {
        Array(name).trimmingXMLSpace.map { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & 0xDF : byte
        }
    }
}

extension [UInt8] {
    /// The bytes without white space at either end.
    var trimmingXMLSpace: ArraySlice<UInt8> {
        guard let first = firstIndex(where: { !$0.isXMLSpace }), let last = lastIndex(where: { !$0.isXMLSpace }) else {
            return []
        }
        return self[first...last]
    }
}
