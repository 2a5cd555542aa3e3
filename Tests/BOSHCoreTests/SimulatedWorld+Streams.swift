import BOSHCore
import Bridge

/// What a history knows about one of the session's streams.
extension SimulatedWorld {
    struct Stream {
        /// The rid that asked for it, which is also its name.
        let rid: UInt64
        var isOpening = true
        var wasOpened = false
        var isRestarting = false
        var sawRestart = false
        /// How far its upstream is behind.
        var congestion = Congestion.none
        /// Whether its upstream is gone.
        var isLost = false
        /// Whether the client's request to close it was processed.
        var isClosed = false
        /// Whether the session has left its upstream.
        var isLeft = false
        /// Whether the client was told its end.
        var isToldEnd = false
        var isResumable = false
        var isDropped = false
        /// Whether an answer with its name has reached the client.
        var isKnown = false
        /// Whether the client has closed it or knows that it has ended.
        var isDoneForClient = false
        /// The numbers of stanzas that the upstream has sent and that answers have held.
        var sent = 0
        var spent = 0
        var featuresOwed = 0
        /// The stanzas that must reach the upstream, and how many have.
        var owed: [UInt8] = []
        var forwarded = 0
        var returned: [UInt8]?

        var isEnded: Bool { isLost || isClosed }
        /// Whether the next answer could tell something about it.
        var hasSomethingToSay: Bool {
            if isToldEnd { return false }
            return isEnded || spent < sent || featuresOwed > 0
        }
    }

    /// Stanzas in an answer, and what is known about their fate.
    struct Delivery {
        let request: Int
        let stream: Int
        let stanzas: Range<Int>
        /// Whether the client is known to have read them, by what it sent.
        var isProven = false
    }

    /// Whether no stream is left; one that the session has not opened does not count.
    var isEverythingGone: Bool { !streams.contains { $0.wasOpened && !$0.isEnded } }

    /// The stream of that name.
    func index(ofStream name: StreamName) -> Int? {
        streams.firstIndex { $0.rid == name.bits }
    }

    /// Checks what was returned for a stream that is left now (`T-12`): all stanzas that the client may not have read
    /// and can still ask for, in order, and of the given answers only those in the last ones.
    mutating func checkReturned(of stream: Int) {
        let returned = streams[stream].returned ?? []
        let waiting = (streams[stream].spent..<streams[stream].sent).map { UInt8($0) }
        if streams[stream].isResumable {
            if !returned.isEmpty { fail("returned \(returned) of a stream that the server keeps") }
            return
        }
        var least = waiting
        var most = waiting
        for delivery in deliveries where delivery.stream == stream {
            // Whatever the client said and whatever counting gave: only the client knows what it has read.
            if delivery.isProven, !requests[delivery.request].isAnswered {
                fail("request \(delivery.request) counts as read and is not")
            }
            if delivery.isProven { continue }
            let numbers = delivery.stanzas.map { UInt8($0) }
            if kept.contains(delivery.request) { least += numbers }
            if kept.contains(delivery.request) || keptBefore.contains(delivery.request) { most += numbers }
        }
        if !zip(returned, returned.dropFirst()).allSatisfy({ $0 < $1 }) || !Set(returned).isSuperset(of: least)
            || !Set(returned).isSubset(of: most)
        {
            fail("returned \(returned) instead of \(least.sorted())")
        }
    }

    /// Keeps the number of an answer that was given for the first time (`R-06`). Answers to pauses and terminates take
    /// no other one's place.
    mutating func keep(_ number: Int) {
        kept.insert(number, at: kept.firstIndex { $0 > number } ?? kept.endIndex)
        let limit = setting.requests + policy.extraResponses
        while kept.count > limit + 1 || kept.count(where: { !requests[$0].content.isExtra }) > limit {
            kept.removeFirst()
        }
    }

    /// Notes what a new request proves about earlier answers (`T-12` a, `A-03`, `A-06`).
    mutating func noteProven(by number: Int) {
        guard setting.acknowledges else {
            // When it was sent, all these were unread, and it as well.
            let unread = requests[..<number].indices.filter { requests[$0].answer == nil } + [number]
            let room = setting.requests - unread.count
            // The session cannot know that a request which has not come is no pause.
            let hasExtra = unread.contains {
                requests[$0].content.isExtra || ($0 != number && !requests[$0].hasArrived)
            }
            for index in deliveries.indices where deliveries[index].request < number {
                let isExtra = hasExtra || requests[deliveries[index].request].content.isExtra
                if room + (isExtra ? 1 : 0) <= 0 { deliveries[index].isProven = true }
            }
            return
        }
        let newest = requests.lastIndex { $0.answer != nil } ?? 0
        var acknowledged = requests[number].ack ?? newest
        if requests[number].ack == nil, requests[..<number].contains(where: { $0.answer == nil }) { return }
        if acknowledged > newest { acknowledged = -1 }
        for index in deliveries.indices where deliveries[index].request <= acknowledged {
            deliveries[index].isProven = true
        }
        while let oldest = kept.first, oldest <= acknowledged,
            kept.count(where: { !requests[$0].content.isExtra }) > setting.requests
        { kept.removeFirst() }
    }

    /// The key of a request, with its hash and, at the end of a sequence, the beginning of the next one. The hash of
    /// `a5` is `a6`: the session only compares.
    func key(of number: Int) -> (key: String?, digest: String?, newkey: String?) {
        let length = 5
        let letter = { (chain: Int) in Character(UnicodeScalar(UInt8(97 + chain % 26))) }
        if number == 0 { return (nil, nil, "a\(length + 1)") }
        let (chain, step) = ((number - 1) / length, (number - 1) % length)
        return (
            "\(letter(chain))\(length - step)", "\(letter(chain))\(length - step + 1)",
            step == length - 1 ? "\(letter(chain + 1))\(length + 1)" : nil
        )
    }

    /// The attributes of a request.
    func attributes(of number: Int) -> BodyAttributes {
        let request = requests[number]
        var attributes = BodyAttributes()
        attributes.rid = .value(setting.firstRid + UInt64(number))
        switch request.content {
        case .creation, .plain: break
        case .pause: attributes.pause = .value(UInt64(Self.pauseLength))
        case .restart: attributes.isRestart = true
        case .terminate, .close: attributes.type = .terminate
        case .add:
            attributes.rare.to = "example.org"
            attributes.rare.freshStreamName = StreamName(bits: setting.firstRid + UInt64(number))
        }
        if let target = request.target { attributes.rare.stream = PeerText(StreamName(bits: streams[target].rid).text) }
        if let ack = request.ack { attributes.ack = .value(setting.firstRid + UInt64(ack)) }
        if setting.usesKeys {
            let keys = key(of: number)
            attributes.rare.key = keys.key.map { PeerText($0) }
            attributes.rare.keyDigest = keys.digest.map { PeerText($0) }
            attributes.rare.newkey = keys.newkey.map { PeerText($0) }
        }
        return attributes
    }
}
