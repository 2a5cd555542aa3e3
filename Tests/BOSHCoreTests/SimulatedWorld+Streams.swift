import BOSHCore
import Bridge

/// What a history knows of one of the session's streams.
extension SimulatedWorld {
    struct Stream {
        /// The rid that asked for it, which is its name too.
        let rid: UInt64
        var isOpening = true
        var wasOpened = false
        var isRestarting = false
        var sawRestart = false
        /// How far its upstream is behind.
        var congestion = Congestion.none
        /// Its upstream is gone.
        var isLost = false
        /// The client's request to close it was processed.
        var isClosed = false
        /// The session has left its upstream.
        var isLeft = false
        /// The client was told its end.
        var isToldEnd = false
        var isResumable = false
        var isDropped = false
        /// An answer with its name has reached the client.
        var isKnown = false
        /// The client has closed it, or knows that it has ended.
        var isDoneForClient = false
        /// The upstream's stanzas are numbered; so many it has sent, and so many stood in answers.
        var sent = 0
        var spent = 0
        var featuresOwed = 0
        /// What must reach the upstream, and how much of it has.
        var owed: [UInt8] = []
        var forwarded = 0
        var returned: [UInt8]?

        var isEnded: Bool { isLost || isClosed }
        /// Whether the next answer could tell something of it.
        var hasSomethingToSay: Bool {
            if isToldEnd { return false }
            return isEnded || spent < sent || featuresOwed > 0
        }
    }

    /// Stanzas that stood in an answer, and what is known of their fate.
    struct Delivery {
        let request: Int
        let stream: Int
        let stanzas: Range<Int>
        /// The client is known to have read them, by what it sent.
        var isProven = false
    }

    /// Whether no stream is left; one that the session has not opened does not count.
    var isEverythingGone: Bool { !streams.contains { $0.wasOpened && !$0.isEnded } }

    /// The stream of that name.
    func index(ofStream name: StreamName) -> Int? {
        streams.firstIndex { $0.rid == name.bits }
    }

    /// Judges what was returned of a stream that is left now (`T-12`): all that the client may not have read and can still
    /// ask for, in order, and of the answers that were given only what stood in the last ones.
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
            // Whatever the client said and whatever counting gave: what it has read nobody knows better.
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

    /// An answer was given for the first time: which ones can still be asked for (`R-06`). Those to pauses and terminates
    /// take no other one's place.
    mutating func keep(_ number: Int) {
        kept.insert(number, at: kept.firstIndex { $0 > number } ?? kept.endIndex)
        let limit = setting.requests + policy.extraResponses
        while kept.count > limit + 1 || kept.count(where: { !requests[$0].content.isExtra }) > limit {
            kept.removeFirst()
        }
    }

    /// A request that had not come before has come: what it proves of earlier answers (`T-12` a, `A-03`, `A-06`).
    mutating func noteProven(by number: Int) {
        guard setting.acknowledges else {
            // As it was sent, all these were unread, and it as well.
            let unread = requests[..<number].indices.filter { requests[$0].answer == nil } + [number]
            let room = setting.requests - unread.count
            // Of what has not come the session cannot know that it is no pause.
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

    /// The key that a request carries, with its hash and, at the end of a sequence, the beginning of the next one. The hash
    /// of `a5` is `a6`: the session only compares.
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
