/// What the name of a SASL mechanism says about the connection that it is used on.
enum SASLMechanism {
    /// Whether `name` is EXTERNAL, which takes the user from the certificate of the TLS connection (RFC 4422 §A): behind this
    /// program that is its own certificate, and whoever asked would be logged in as it. White space around the name and its
    /// case make no difference, because a server may not mind them either.
    static func isExternal(_ name: some Sequence<UInt8>) -> Bool {
        word(name).elementsEqual("EXTERNAL".utf8)
    }

    /// Whether `name` is a mechanism of FAST that binds to the channel, by which a client would be given a token that it
    /// cannot use: it knows the channel to this program only, not the server's. The last word says how (XEP-0484 §3.1).
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
    /// The bytes between the white space at either end.
    var trimmingXMLSpace: ArraySlice<UInt8> {
        guard let first = firstIndex(where: { !$0.isXMLSpace }), let last = lastIndex(where: { !$0.isXMLSpace }) else {
            return []
        }
        return self[first...last]
    }
}
