/// Who the client of a stream is, as an element of the server says: `<jid/>` of resource binding (RFC 6120 §7.6.1),
/// `<authorization-identifier/>` of SASL2 (XEP-0388 §2.6), or the address to which the server delivers a stanza
/// (RFC 6120 §8.1.1.1). It keeps its storage from one element to the next.
struct UserName {
    /// The sender that the element names; empty when it names none.
    private var sender: [UInt8] = []
    private var text: [UInt8] = []
    /// The account to which the element is delivered; empty when that is not asked for.
    private var addressee: [UInt8] = []
    /// Whether the element that may have the name in it is open, and the one that is the name.
    var isInside = false
    var isOpen = false

    /// The longest JID: three parts of 1,023 bytes with `@` and `/` (RFC 7622 §3.1).
    private static let mostBytes = 3_071
    /// How much of a name is kept. Nearly all are much shorter.
    static let mostShown = 256

    /// Forgets the last element.
    mutating func begin() {
        sender.removeAll(keepingCapacity: true)
        text.removeAll(keepingCapacity: true)
        addressee.removeAll(keepingCapacity: true)
        isInside = false
        isOpen = false
    }

    /// Notes the value of the element's `to`, by which the server has found this client.
    mutating func noteAddressee(_ value: UnsafeBufferPointer<UInt8>) {
        unsafe addressee.append(contentsOf: value.prefix(Self.mostBytes + 1))
    }

    /// Notes the value of the element's `from`.
    mutating func noteSender(_ value: UnsafeBufferPointer<UInt8>) {
        unsafe sender.append(contentsOf: value.prefix(Self.mostBytes + 1))
    }

    /// Appends a part of the name's text.
    mutating func append(_ part: UnsafeBufferPointer<UInt8>) {
        unsafe text.append(contentsOf: part.prefix(Self.mostBytes + 1 - text.count))
    }

    /// The bare JID, at most `mostShown` bytes of it, and nothing from then on. Nil when the element said none, or when
    /// somebody else sent it: a server passes on what other users send, but with their address on it.
    mutating func take() -> String? {
        guard !text.isEmpty || !addressee.isEmpty else { return nil }
        defer {
            text.removeAll(keepingCapacity: true)
            addressee.removeAll(keepingCapacity: true)
        }
        if let bare = Self.bare(text), isOwn(bare) { return Self.shown(bare) }
        // A server may address something to its own domain or to no account; that names nobody.
        guard let bare = Self.bare(addressee), let at = bare.firstIndex(of: UInt8(ascii: "@")), at > bare.startIndex
        else { return nil }
        return Self.shown(bare)
    }

    /// A JID without its resource; nil when there is none, or when it is longer than any JID.
    private static func bare(_ jid: [UInt8]) -> ArraySlice<UInt8>? {
        let bare = jid.trimmingXMLSpace.prefix { $0 != UInt8(ascii: "/") }
        return jid.count <= mostBytes && !bare.isEmpty ? bare : nil
    }

    private static func shown(_ bare: ArraySlice<UInt8>) -> String {
        guard bare.count > mostShown else { return String(decoding: bare, as: UTF8.self) }
        var shown = bare.prefix(mostShown)
        while let last = shown.last, last & 0xC0 == 0x80 { shown.removeLast() }
        return String(decoding: shown.dropLast(), as: UTF8.self) + "..."
    }

    /// Whether the server itself said so: it names no sender, its domain, or the account.
    private func isOwn(_ bare: ArraySlice<UInt8>) -> Bool {
        let domain = bare.firstIndex(of: UInt8(ascii: "@")).map { bare[($0 + 1)...] } ?? bare
        return sender.isEmpty || sender.elementsEqual(domain)
            || sender.prefix { $0 != UInt8(ascii: "/") }.elementsEqual(bare)
    }
}
