import Deflate

/// A server's connection as its stream sees it. TLS and compression lie between stream and wire once they have begun.
final class StreamLine {
    private let wire: Wire
    private unowned let world: World
    private var chance: Chance
    private(set) var tls: TLSServer?
    private let certificate: Certificates.Kind
    /// Whether this machine must never be believed; clients are not told of it, because there are others.
    private let isImpostor: Bool
    private var compression: Compression?
    /// How many bytes it sends before it fails; nil when it does not fail.
    private var bytesToCut: Int?
    private var keyUpdatesLeft = 20
    private var isCut = false
    /// How often the clock had been set when the other side began to judge by it.
    private var handshakeEpoch: Int?
    /// Whether accepting its certificate would be a mistake.
    private(set) var isNotToBeBelieved = false
    /// Whether the other end knows by now that it speaks to the right server, or has no need to know.
    private(set) var isSecured: Bool
    var received: ([UInt8]) -> Void = { _ in }
    /// Called when no more will come.
    var ended: (_ isReset: Bool) -> Void = { _ in }
    /// Called when this side has broken the connection.
    var broke: () -> Void = {}

    private final class Compression {
        var deflater: StreamDeflater
        var inflater: StreamInflater

        init() {
            guard let deflater = StreamDeflater(), let inflater = StreamInflater() else { fatalError("no memory") }
            self.deflater = deflater
            self.inflater = inflater
        }
    }

    /// - Parameters:
    ///   - isImpostor: under TLS it shows another machine's certificate.
    ///   - isDirect: TLS begins at once.
    init(_ end: SocketEnd, world: World, seed: UInt64, isImpostor: Bool, isDirect: Bool) {
        wire = Wire(end)
        self.world = world
        var chance = Chance(seed: seed)
        let rules = world.protection
        isSecured = rules.tls == .none
        let isWrong = rules.tls != .none && chance.below(1_000) < rules.wrongCertificates
        self.isImpostor = isImpostor
        certificate = isImpostor ? .ofAnother : isWrong ? chance.one(of: [.ofAnother, .expired, .ofStranger]) : .good
        if rules.tls != .none, chance.below(1_000) < rules.cuts { bytesToCut = chance.below(3_000) }
        self.chance = chance
        wire.received = { [self] in receive($0) }
        wire.ended = { [self] isReset in ended(isReset) }
        end.kernel.whenOver { [self] in
            received = { _ in }
            ended = { _ in }
            broke = {}
        }
        if isDirect { beginTLS() }
    }

    /// Whether bytes have come that its server has not read.
    var hasUnread: Bool { !wire.isOver && wire.end.inbox.unread > 0 }

    var slowness: Int {
        get { wire.slowness }
        set { wire.slowness = newValue }
    }

    // MARK: Layers

    func beginTLS() {
        tls = TLSServer(world.tlsRules, certificate: certificate)
    }

    func beginCompression() { compression = Compression() }

    private func receive(_ bytes: [UInt8]) {
        guard let tls else { return expand(bytes) }
        noteJudgement()
        let plain = tls.receive(bytes)
        if tls.state == .open, !isSecured {
            isSecured = true
            isNotToBeBelieved =
                !tls.isResumed && handshakeEpoch == world.wallEpoch && !certificate.isGood(at: world.wallSeconds)
        }
        flushTLS()
        expand(plain)
        if tls.state == .failed {
            wire.close()
            if handshakeEpoch != world.wallEpoch { world.judge.excuseLogins(from: world.kernel.now) }
            ended(true)
        }
    }

    /// The other side judges the certificate between two of its messages.
    private func noteJudgement() {
        guard !isSecured, handshakeEpoch == nil else { return }
        handshakeEpoch = world.wallEpoch
        if !isImpostor, !certificate.isGood(at: world.wallSeconds) { world.judge.excuseLogins(from: world.kernel.now) }
    }

    private func expand(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        guard let compression else { return received(bytes) }
        var plain: [UInt8] = []
        var offset = 0
        do {
            while try compression.inflater.inflate(bytes.span, offset: &offset, room: 65_536, into: &plain) {}
        } catch {
            world.judge.fail("the worker's compressed stream is \(error)")
        }
        if !plain.isEmpty { received(plain) }
    }

    func send(_ bytes: some Sequence<UInt8>) {
        var bytes = Array(bytes)
        if let compression {
            var compressed: [UInt8] = []
            _ = compression.deflater.deflate(bytes.span, into: &compressed)
            bytes = compressed
        }
        guard let tls else { return transmit(bytes) }
        if tls.state == .open, keyUpdatesLeft > 0, chance.below(1_000) < world.protection.rekeys {
            keyUpdatesLeft -= 1
            tls.updateKeys(asksBack: chance.once(in: 2))
        }
        tls.send(bytes)
        flushTLS()
    }

    private func flushTLS() {
        if let bytes = tls?.takeOutput(), !bytes.isEmpty { transmit(bytes) }
    }

    private func transmit(_ bytes: [UInt8]) {
        guard !isCut else { return }
        guard let left = bytesToCut, left < bytes.count else {
            bytesToCut? -= bytes.count
            return wire.send(bytes)
        }
        isCut = true
        wire.send(bytes.prefix(left))
        broke()
        world.tell("a server breaks down")
        switch chance.below(3) {
        case 0: wire.reset()
        case 1: wire.closeWhenSent()
        default: wire.vanish()
        }
    }

    // MARK: Ends

    func close() { wire.close() }
    func reset() { wire.reset() }
    func vanish() { wire.vanish() }

    /// Sends what is left, then closes; half of the servers announce it in TLS before.
    func closeWhenSent() {
        if let tls, chance.once(in: 2) {
            tls.sayGoodbye()
            flushTLS()
        }
        wire.closeWhenSent()
    }

    // MARK: Faults

    enum Fault: Int {
        /// It ends TLS and the connection, but not the stream.
        case goodbyeAlone = 1
        /// It ends TLS, and the connection stays.
        case goodbyeWithoutEnd
        case brokenRecord
        case halfRecord
        /// It changes its keys again and again.
        case keyFlood
        /// It sends bytes that zlib cannot read.
        case brokenCompression
    }

    func fail(_ fault: Fault) {
        guard let tls, fault != .brokenCompression, fault != .keyFlood || tls.hasKeyUpdates else {
            let nonsense = (0..<40).map { _ in UInt8(truncatingIfNeeded: chance.next()) | 1 }
            if compression != nil, let tls {
                tls.send(nonsense)
                return flushTLS()
            }
            return transmit(nonsense)
        }
        switch fault {
        case .goodbyeAlone, .goodbyeWithoutEnd:
            tls.sayGoodbye()
            flushTLS()
            if fault == .goodbyeAlone { wire.closeWhenSent() }
        case .brokenRecord:
            tls.send(Array("<presence/>".utf8))
            var bytes = tls.takeOutput()
            bytes[chance.below(bytes.count)] ^= 0x40
            transmit(bytes)
            // A length that has grown waits for bytes that do not come.
            world.kernel.after(.seconds(60)) { [self] in wire.close() }
        case .halfRecord:
            tls.send(Array("<presence/>".utf8))
            let bytes = tls.takeOutput()
            transmit(Array(bytes.prefix(chance.below(bytes.count))))
            wire.closeWhenSent()
        case .keyFlood, .brokenCompression:
            for _ in 0..<100 { tls.updateKeys(asksBack: true) }
            flushTLS()
        }
    }
}
