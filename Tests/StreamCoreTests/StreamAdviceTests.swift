import StreamCore
import Testing

@Suite("StreamAdvice")
struct StreamAdviceTests {
    private static let required = FeaturesOffer(startTLS: .required)

    private func advice(_ tls: TLSMode, _ inputs: StreamInput...) -> StreamAdvice? {
        var stream = StreamDialogue(tls)
        for input in inputs { _ = stream(input) }
        return stream.machine.advice
    }

    @Test("upstream-tls none, and a server that wants TLS: it is told as soon as the features are there")
    func demandsTLS() {
        let features = StreamInput.item(.features(Self.required, bytes: []))
        #expect(advice(.none, .connected, .item(.header(.example)), features) == .demandsTLS)
        let offers: [(FeaturesOffer, StreamAdvice?)] = [
            (FeaturesOffer(startTLS: .offered), .demandsTLS),
            (FeaturesOffer(startTLS: .offered, offersSASL: true), nil),
            (FeaturesOffer(startTLS: .required, offersSASL: true), .demandsTLS), (FeaturesOffer(), nil),
        ]
        for (offer, expected) in offers {
            let features = StreamInput.item(.features(offer, bytes: []))
            #expect(advice(.none, .connected, .item(.header(.example)), features) == expected)
            // With direct TLS it means nothing, nor after STARTTLS.
            #expect(advice(.direct, .connected, .tlsEstablished, .item(.header(.example)), features) == nil)
            let handshake: StreamInput = .item(.features(Self.required, bytes: []))
            #expect(
                advice(
                    .startTLS, .connected, .item(.header(.example)), handshake, .item(.proceed), .tlsEstablished,
                    .item(.header(.example)), features) == nil)
        }
    }

    @Test("a stream header spoken to a port of direct TLS", arguments: [TLSMode.none, .startTLS])
    func expectsDirectTLS(tls: TLSMode) {
        #expect(advice(tls, .connected, .item(.fault(.tlsRecord))) == .expectsDirectTLS)
        #expect(advice(tls, .connected, .connectionLost) == .expectsDirectTLS)
        // A server that has spoken XMPP does not expect TLS, and a server that was not reached says nothing.
        #expect(advice(tls, .connected, .item(.header(.example)), .connectionLost) == nil)
        #expect(advice(tls, .connectFailed(.unreachable)) == nil)
        #expect(advice(tls, .connected, .item(.fault(.malformed))) == nil)
        #expect(advice(tls, .connected, .deadlineReached) == nil)
        #expect(advice(tls, .connected) == nil)
    }

    @Test("direct TLS spoken to a port without")
    func expectsNoDirectTLS() {
        #expect(advice(.direct, .connected, .tlsAbsent) == .expectsNoDirectTLS)
        #expect(advice(.direct, .connected, .tlsFailed(.expired)) == nil)
        #expect(advice(.direct, .connected, .tlsEstablished, .connectionLost) == nil)
    }

    @Test("upstream-tls starttls, and a server that has none")
    func lacksStartTLS() {
        let features = StreamInput.item(.features(FeaturesOffer(offersSASL: true), bytes: []))
        #expect(advice(.startTLS, .connected, .item(.header(.example)), features) == .lacksStartTLS)
        let required = StreamInput.item(.features(Self.required, bytes: []))
        #expect(
            advice(.startTLS, .connected, .item(.header(.example)), required, .item(.startTLSFailure))
                == .lacksStartTLS)
        #expect(
            advice(.startTLS, .connected, .item(.header(.example)), required, .item(.proceed), .tlsAbsent) == nil)
    }

    @Test("each advice is one line of its own that names the setting")
    func words() {
        let lines = StreamAdvice.allCases.map(\.words)
        #expect(Set(lines).count == lines.count)
        for line in lines { #expect(line.contains("upstream-tls") && !line.contains("\n")) }
    }
}
