/// TLS and compression as a server offers and begins them.
extension XMPPServer {
    /// What a server does when TLS should begin.
    enum Refusal: CaseIterable {
        case offersNone, refuses
        /// Somebody on the way adds bytes after its consent.
        case injected
    }

    /// The behaviour of a server, whoever its client is.
    struct Manners {
        /// Nil for nearly all servers.
        var refusal: Refusal?
        var offersCompression: Bool
        var refusesCompression: Bool

        init(in world: World, seed: UInt64) {
            let protection = world.protection
            var chance = Chance(seed: seed &+ 1)
            let refuses = protection.tls == .startTLS && chance.below(1_000) < protection.refusals
            refusal = refuses ? chance.one(of: Refusal.allCases) : nil
            offersCompression = protection.compresses && !chance.once(in: 4)
            refusesCompression = chance.once(in: 4)
        }
    }

    private static let tls = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
    private static let compress = "xmlns='http://jabber.org/protocol/compress'"

    /// What it offers first, instead of the stream's own features; nil when it offers no protection.
    var protectionFeature: String? {
        guard !wire.isSecured else { return nil }
        if manners.refusal != nil { world.judge.excuseLogins(from: world.kernel.now) }
        return manners.refusal == .offersNone ? "" : "<starttls \(Self.tls)><required/></starttls>"
    }

    /// The additional feature for a client that has logged in.
    var compressionFeature: String {
        guard manners.offersCompression else { return "" }
        return "<compression xmlns='http://jabber.org/features/compress'><method>lzw</method><method>zlib</method>"
            + "</compression>"
    }

    /// Handles a request of the negotiation; false when the element is something else.
    func negotiates(_ element: [UInt8]) -> Bool {
        if element.has("<starttls") {
            if wire.tls != nil { world.judge.fail("the worker asks for TLS within TLS") }
            switch manners.refusal {
            case nil:
                say("<proceed \(Self.tls)/>")
                restart()
                wire.beginTLS()
            case .injected:
                say("<proceed \(Self.tls)/><stream:features/>")
                fallSilent()
            case .offersNone, .refuses:
                say("<failure \(Self.tls)/></stream:stream>")
                fallSilent()
                wire.closeWhenSent()
            }
            return true
        }
        guard element.has("<compress ") else { return false }
        stream?.ledger.isAskedToCompress = true
        manners.offersCompression = false
        guard !manners.refusesCompression else {
            say("<failure \(Self.compress)><setup-failed/></failure>")
            return true
        }
        say("<compressed \(Self.compress)/>")
        restart()
        wire.beginCompression()
        return true
    }

    /// Judges a login: it must never go over a line that should be protected and is not.
    func judgeLogin() {
        if !wire.isSecured { world.judge.fail("the worker has a client log in without TLS") }
        if wire.isNotToBeBelieved { world.judge.fail("the worker believes a certificate that is not good") }
    }
}
