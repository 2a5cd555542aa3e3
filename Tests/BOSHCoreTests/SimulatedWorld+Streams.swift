import BOSHCore

/// What a history knows of one of the session's streams.
extension SimulatedWorld {
    struct Stream {
        /// The rid that asked for it, which is its name too.
        let rid: UInt64
        var isOpening = true
        var wasOpened = false
        var isRestarting = false
        var sawRestart = false
        var isCongested = false
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
        /// No other request was open.
        let wasAlone: Bool
        var isFetched = false
    }

    /// Whether no stream is left; one that the session has not opened does not count.
    var isEverythingGone: Bool { !streams.contains { $0.wasOpened && !$0.isEnded } }

    /// The stream of that name.
    func index(ofStream name: StreamName) -> Int? {
        streams.firstIndex { $0.rid == name.bits }
    }

    /// What must be returned of a stream that is left now (`T-12`).
    func unfetched(of stream: Int) -> [UInt8] {
        if streams[stream].isResumable { return [] }
        var numbers: [UInt8] = []
        for delivery in deliveries where delivery.stream == stream && !delivery.isFetched {
            numbers += delivery.stanzas.map { UInt8($0) }
        }
        return numbers + (streams[stream].spent..<streams[stream].sent).map { UInt8($0) }
    }

    /// A request that had not come before has come: what it shows of earlier answers (`T-12` a, `A-03`, `A-06`).
    mutating func noteFetched(by number: Int) {
        guard setting.acknowledges else {
            for index in deliveries.indices {
                let distance = number - deliveries[index].request
                if distance >= setting.requests || (deliveries[index].wasAlone && distance > 0) {
                    deliveries[index].isFetched = true
                }
            }
            return
        }
        let newest = requests.lastIndex { $0.answer != nil } ?? 0
        var acknowledged = requests[number].ack ?? newest
        if requests[number].ack == nil, requests[..<number].contains(where: { $0.answer == nil }) { return }
        if acknowledged > newest { acknowledged = -1 }
        for index in deliveries.indices where deliveries[index].request <= acknowledged {
            deliveries[index].isFetched = true
        }
    }

    /// Whether a request other than this one is open as its answer is sent. What was processed with the same input is, as
    /// far as its turn comes later.
    func isAlone(_ number: Int) -> Bool {
        !requests.indices.contains { other in
            other != number && requests[other].hasArrived
                && (requests[other].answer == nil || (other > processedBefore && other > number))
        }
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
            attributes.to = "example.org"
            attributes.freshStreamName = StreamName(bits: setting.firstRid + UInt64(number))
        }
        if let target = request.target { attributes.stream = PeerText(StreamName(bits: streams[target].rid).text) }
        if let ack = request.ack { attributes.ack = .value(setting.firstRid + UInt64(ack)) }
        if setting.usesKeys {
            let keys = key(of: number)
            attributes.key = keys.key.map { PeerText($0) }
            attributes.keyDigest = keys.digest.map { PeerText($0) }
            attributes.newkey = keys.newkey.map { PeerText($0) }
        }
        return attributes
    }
}
