/// How a client may break the rules. Each breach is told its condition, and it ends the session if only the session's
/// own client can have caused it.
enum Breach: Int, CaseIterable {
    case ridAboveWindow = 1
    case ridUsedAgain
    case unknownSID
    case wrongKey
    case malformed
    case otherNamespace
    case tooManyAtOnce
    case pollsTooOften
    case withoutRID
    case unknownStream
    case repeatsTooOften
    case largeLogin
    case tooDeep
}

extension BOSHClient {
    /// Breaks a rule, once.
    func commit(_ breach: Breach) {
        guard stage == .running, isActive, !isPausing else { return }
        switch breach {
        case .ridAboveWindow:
            rid += 20
            offend(["item-not-found"], attributes: "")
        case .wrongKey where keys == nil, .unknownStream:
            offend(
                ["item-not-found"], attributes: " stream='0123456789abcdef'",
                payload: "<message xmlns='jabber:client' id='u999999'/>")
        case .wrongKey:
            keys = nil
            offend(["item-not-found"], attributes: " key='0123456789012345678901234567890123456789'")
        case .malformed:
            offend(["bad-request"], attributes: "", payload: "<a><b></a></b>")
        case .otherNamespace:
            offend(["bad-request"], attributes: "", namespace: "urn:other")
        case .tooDeep:
            let depth = 200
            offend(
                ["bad-request"], attributes: "",
                payload: String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth))
        case .pollsTooOften where polling != nil:
            isOffending = true
            offend(["policy-violation"], attributes: "", isPoll: true)
            for _ in 0..<4 { sendRequest(attributes: "", on: nil, isPoll: true) }
        case .tooManyAtOnce, .pollsTooOften:
            offend(["item-not-found", "policy-violation"], attributes: "")
            for _ in 0..<12 { sendRequest(attributes: "", on: nil) }
        case .repeatsTooOften:
            explain(["policy-violation", "item-not-found", "other-request"])
            for ledger in ledgers { ledger.isClientFaulty = true }
            isOffending = true
            for _ in 0..<120 { post(rid: nextAnswer - 1, sid: sid, "", mayBeTold: nil) }
        case .ridUsedAgain:
            // A client with a key sequence is recognised by its keys.
            guard keys == nil else { return }
            // If that answer is no longer kept, because the repeat comes late, the session ends.
            explain(["item-not-found", "other-request"])
            for ledger in ledgers { ledger.isClientFaulty = true }
            post(rid: nextAnswer - 1, sid: sid, "<message xmlns='jabber:client' id='u999999'/>", mayBeTold: nil)
        case .unknownSID:
            post(rid: rid + 1, sid: "0123456789abcdef0123456789abcdef", "", mayBeTold: "item-not-found")
        case .withoutRID:
            post(rid: nil, sid: sid, "", mayBeTold: "bad-request")
        case .largeLogin:
            break
        }
    }

    /// Sends a request that ends the session.
    private func offend(
        _ conditions: [String], attributes: String, payload: String = "",
        namespace: String = "http://jabber.org/protocol/httpbind", isPoll: Bool = false
    ) {
        // Requests beside the guilty one are told that.
        explain(conditions + ["other-request", "item-not-found"])
        // An empty request may also come too soon.
        if polling != nil { explain(["policy-violation"]) }
        for ledger in ledgers { ledger.isClientFaulty = true }
        isOffending = true
        rid += 1
        // The client must not acknowledge what it has not read.
        let ack = plan["ack"] > 0 && nextAnswer - 1 < rid - 1 ? " ack='\(nextAnswer - 1)'" : ""
        send(
            "<body xmlns='\(namespace)' rid='\(rid)' sid='\(sid)'\(ack)\(attributes)>\(payload)</body>", isPoll: isPoll)
    }

    /// Sends a request that uses up no rid.
    private func post(rid: Int?, sid: String, _ payload: String, mayBeTold condition: String?) {
        let number = rid.map { " rid='\($0)'" } ?? ""
        let body = "<body xmlns='http://jabber.org/protocol/httpbind'\(number) sid='\(sid)'>\(payload)</body>"
        world.tell("\(name) sends beside the rules \(body)")
        carrier.post(Array(body.utf8), as: .whole) { [weak self] answer in
            guard let self, let answer, let condition else { return }
            world.tell("\(name) beside the rules: \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
            guard answer.status == 200 else {
                if ![502, 503, 504].contains(answer.status) {
                    world.judge.fail("\(name): a request was answered with \(answer.status)")
                }
                return
            }
            // The session may have ended for another reason.
            let told = answer.body.attribute("condition") ?? "nothing"
            let isOver = stage != .running && told == "item-not-found"
            if told != condition, !isOver, !streams[0].ledger.isExplained(told) {
                world.judge.fail("\(name): a request was not told \(condition)")
            }
        }
    }
}
