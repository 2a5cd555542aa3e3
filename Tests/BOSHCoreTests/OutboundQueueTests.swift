import BOSHCore
import Bridge
import Primitives
import Testing

@Suite struct OutboundQueueTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("an empty queue has nothing to give")
    func startsEmpty() {
        var queue = OutboundQueue()
        #expect(queue.isEmpty && queue.byteCount == 0 && queue.holdsOnlyStanzas)
        let nothing = queue.take()
        #expect(nothing == nil)
        let noStanzas = queue.takeStanzas()
        #expect(noStanzas == nil)
    }

    @Test("R-16 stanzas that wait go out together")
    func joinsStanzas() {
        var queue = OutboundQueue()
        queue.append(stanzas: Self.bytes("<a/>"))
        queue.append(stanzas: Self.bytes("<b/><c/>"))
        #expect(queue.byteCount == 12)
        let joined = queue.take()
        #expect(joined == .stanzas(Self.bytes("<a/><b/><c/>")))
        #expect(queue.isEmpty && queue.byteCount == 0)
    }

    @Test("X-01 features stand alone and keep their place")
    func keepsFeaturesApart() {
        var queue = OutboundQueue()
        let identity = Boxed(StreamIdentity(id: "s", version: nil))
        queue.append(stanzas: Self.bytes("<a/>"))
        queue.append(features: Self.bytes("<f/>"), opening: identity)
        queue.append(stanzas: Self.bytes("<b/>"))
        #expect(queue.byteCount == 12 && !queue.holdsOnlyStanzas)
        let first = queue.take()
        #expect(first == .stanzas(Self.bytes("<a/>")))
        let blocked = queue.takeStanzas()
        #expect(blocked == nil, "features stand at the front")
        #expect(queue.byteCount == 8)
        let features = queue.take()
        #expect(features == .features(identity, Self.bytes("<f/>")))
        #expect(queue.holdsOnlyStanzas)
        let last = queue.takeStanzas()
        #expect(last == Self.bytes("<b/>"))
        #expect(queue.isEmpty && queue.byteCount == 0)
    }

    @Test("features without a byte are told all the same")
    func keepsEmptyFeatures() {
        var queue = OutboundQueue()
        queue.append(features: [], opening: .none)
        #expect(!queue.isEmpty)
        let features = queue.take()
        #expect(features == .features(.none, []))
    }

    @Test("no stanza at all is nothing that waits")
    func ignoresNoStanzas() {
        var queue = OutboundQueue()
        queue.append(stanzas: [])
        #expect(queue.isEmpty)
        let nothing = queue.take()
        #expect(nothing == nil)
    }
}
