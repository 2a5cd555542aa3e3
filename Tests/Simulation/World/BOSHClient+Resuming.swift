/// A client that continues its stream in another session (XEP-0198 §5).
extension BOSHClient {
    /// Begins another session when this one is over and its stream can be resumed.
    func mayResume(after condition: String?) -> Bool {
        guard let stream = streams.first else { return false }
        let mayNot = isTerminating || managedID == nil || resumptions == 5 || isOffending && plan["breach"] != 1
        if let condition, !isTerminating, stream.ledger.end == nil, !stream.ledger.isExplained(condition),
            !world.judge.excusesLogin(endedAt: kernel.now)
        {
            world.judge.fail("\(name): the client was told \(condition), which nothing explains")
        }
        guard !mayNot, managed?.isOver == false else {
            // Nobody sends again what was lost with the connection.
            if !stream.ledger.explained.isEmpty { stream.ledger.serverFails() }
            return false
        }
        resumptions += 1
        world.tell("\(name) begins another session to resume its stream")
        for request in open { request.isAnswered = true }
        open = []
        early = [:]
        rid = 1 + otherChance.below(1_000_000)
        nextAnswer = rid
        sid = ""
        requests = 1
        isPausing = false
        isOffending = false
        wantsToLeave = wantsToLeave || stage == .leaving
        stage = .creating
        stream.stage = .features
        stream.name = nil
        stream.queue = []
        // Not while an answer is being read.
        kernel.after(otherChance.time(.milliseconds(1)...(.seconds(3)))) { [self] in create() }
        return true
    }

    func sayResume(on stream: ClientStream) {
        stream.say(
            "<resume xmlns='urn:xmpp:sm:3' previd='\(managedID ?? "")' h='\(stream.ledger.receivedDown)'/>")
    }

    func resumed(_ stream: ClientStream, _ element: [UInt8]) {
        guard let h = element.attribute("h").flatMap({ Int($0) }) else {
            world.judge.fail("\(name): its stream cannot be resumed")
            return
        }
        stream.stage = .active
        stream.sayAgain(from: h)
        speak(on: stream)
        if wantsToLeave { leave() }
    }
}
