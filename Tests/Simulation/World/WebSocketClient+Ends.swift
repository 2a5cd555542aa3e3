/// How a client over WebSocket leaves, and how it is told that its session is over (`W-50`).
extension WebSocketClient {
    enum Departure: Int, CaseIterable {
        /// `<close/>`, then the closing handshake when the other side has said it too.
        case inOrder
        /// `<close/>`, but the Close frame is never answered.
        case withoutAnswer
        /// `<close/>` and a Close frame at once, as Strophe does; the page hears nothing more.
        case atOnce
        /// A Close frame without `<close/>`: the page was left.
        case closeFrame
        case emptyCloseFrame
        /// The connection ends: in order, by a reset, or in the middle of a frame.
        case finish
        case reset
        case withinFrame
        /// The machine disappears.
        case vanish
    }

    /// Ends its session at the end of its life.
    func leave() {
        guard stage != .connecting, stream.stage == .active, !isBeingCut else {
            wantsToLeave = true
            return
        }
        guard isActive else { return }
        let departure = Departure(rawValue: plan["departure"]) ?? .inOrder
        world.tell("\(name) leaves: \(departure)")
        stage = .leaving
        depart(departure)
    }

    /// Loses its connection, and comes back to resume its stream.
    func beCut() {
        guard isActive, managedID != nil, managed?.isOver == false, resumptions < 5 else { return }
        let departure = chance.one(of: Array(Departure.allCases.dropFirst(3)))
        world.tell("\(name) loses its connection: \(departure)")
        isBeingCut = true
        depart(departure)
    }

    func depart(_ departure: Departure) {
        guard let socket else { return }
        switch departure {
        case .inOrder, .withoutAnswer:
            hasSaidClose = true
            say(Self.goodbye)
            // It may read for long what came before the answer.
            ledger.endCame(at: kernel.now)
        case .atOnce:
            say(Self.goodbye)
            hasSaidClose = true
            sendClose(nil)
            isDeaf = true
            leaves(inOrder: true)
        case .closeFrame, .emptyCloseFrame:
            sendClose(departure == .closeFrame ? chance.one(of: [1000, 1001, 3000, 4999]) : nil)
            isDeaf = true
            leaves(inOrder: true)
        case .finish:
            // Closed with unread bytes, its machine would reset the connection.
            leaves(inOrder: true)
            isDeaf = true
            socket.wire.isPaused = false
            socket.finish()
        case .reset:
            leaves(inOrder: false)
            socket.wire.reset()
            isGone()
        case .withinFrame:
            let frame = ClientSocket.frame(Array("<presence xmlns='jabber:client' id='u999999'/>".utf8), &chance)
            socket.send(Array(frame.prefix(chance.within(1...(frame.count - 1)))))
            leaves(inOrder: false)
            isDeaf = true
            kernel.after(chance.time(.zero...(.seconds(1)))) { [self] in
                guard self.socket === socket, !socket.wire.isOver else { return }
                if chance.once(in: 2) { socket.wire.reset() } else { socket.closeWhenSent() }
                isGone()
            }
        case .vanish:
            leaves(inOrder: false)
            socket.wire.vanish()
            isGone()
        }
    }

    /// Notes that the client has gone of its own accord.
    private func leaves(inOrder: Bool) {
        guard !isBeingCut else { return }
        // A stream that is kept for a resumption may lose what was on its way.
        if inOrder, !ledger.isManaged { ledger.allHasToArrive = true }
        goneSilently()
    }

    /// Its connection is gone.
    private func isGone() {
        if isBeingCut {
            isBeingCut = false
            comeBack()
        } else {
            finish()
        }
    }

    func goneSilently() { ledger.ends(.left, at: kernel.now) }

    func finish() {
        guard stage != .over else { return }
        stage = .over
        world.clientEnded()
    }

    /// Its goodbye was answered.
    func heardGoodbye() {
        if error == nil { ledger.ends(.terminated, at: kernel.now) }
    }

    // MARK: What it is told

    func readError(_ element: [UInt8]) {
        if !element.contains("xmlns:stream=") { world.judge.fail("\(name) got an error that does not stand alone") }
        error = element.streamCondition
    }

    /// A Close frame has come.
    func closed(_ code: UInt16?) {
        judge(code)
        let isAnswer = hasSentClose
        if let wire = socket?.wire { awaitEnd(of: wire) }
        if !isAnswer, Departure(rawValue: plan["departure"]) != .withoutAnswer { sendClose(code) }
        guard ledger.end == nil, !isBeingCut else { return }
        explainCrossing()
        let condition = condition(of: code)
        // Its worker was to end its sessions before it had read the offence, and perhaps what came before that.
        if isOffending, condition == "system-shutdown" { ledger.allHasToArrive = false }
        if managed != nil, mayResume(after: condition) { return }
        ledger.ends(.told(condition), at: kernel.now)
    }

    /// Explains the loss of a stream that the client has restarted while its server sent something: that stands at the
    /// beginning of the new stream then, where nothing but its header may stand.
    private func explainCrossing() {
        guard let restartedAt, let lastSent = ledger.sentDown.last else { return }
        let underway = (ledger.margin ?? .seconds(60)) + .milliseconds(plan["stall"])
        if lastSent + underway >= restartedAt { ledger.explain(["remote-connection-failed"]) }
    }

    /// Checks a code (`W-50`, `W-54`).
    private func judge(_ code: UInt16?) {
        if isDeaf || hasSentClose {
            // The answer to a Close frame, unless both were sent at once.
            if code == sentCode { return }
            if isDeaf { return judgeOwn(code, mayBeUnread: true) }
        }
        judgeOwn(code, mayBeUnread: false)
    }

    private func judgeOwn(_ code: UInt16?, mayBeUnread: Bool) {
        let isRight =
            switch code {
            case 1000: hasHeardClose && (error == nil || error != nil)
            case 1001: hasHeardClose && (error == nil || error == "system-shutdown")
            case 1012: !hasHeardClose && error == nil
            case 1013: error == nil && (hasHeardClose || isGreeted)
            case 1009: hasHeardClose && error == "policy-violation"
            case 1002, 1003, 1007: isOffending && error == nil
            case 1008: true
            default: false
            }
        guard !isRight, !mayBeUnread else { return }
        world.judge.fail(
            "\(name): its socket was closed with \(code.map { "\($0)" } ?? "no code") "
                + (hasHeardClose ? "behind <close/>" : "without <close/>") + " and \(error ?? "no error")")
    }

    /// The condition that a client over BOSH would have been told.
    private func condition(of code: UInt16?) -> String {
        if let error { return error }
        switch code {
        case 1000, 1013: return "remote-connection-failed"
        case 1012:
            return ledger.isExplained("remote-connection-failed") ? "remote-connection-failed" : "system-shutdown"
        case 1001: return "system-shutdown"
        default: return code.map { "\($0)" } ?? "nothing"
        }
    }

    /// Decides whether the client goes on in another session.
    private func mayResume(after condition: String) -> Bool {
        // Before its stream was resumed, another one was closed.
        let wasClosed = hasHeardClose && stream.stage == .active
        let mayNot = hasSaidClose || wasClosed || managedID == nil || resumptions == 5 || isOffending
        if !hasSaidClose, !ledger.isExplained(condition), !world.judge.excusesLogin(endedAt: kernel.now) {
            world.judge.fail("\(name): the client was told \(condition), which nothing explains")
        }
        if wasClosed, error == "system-shutdown", managedID != nil, managed?.isOver == false, !hasSaidClose {
            world.judge.fail("\(name): its stream could be resumed and was closed")
        }
        guard !mayNot, managed?.isOver == false else {
            // Nobody sends again what was lost with the connection.
            if !ledger.explained.isEmpty { ledger.serverFails() }
            return false
        }
        isBeingCut = true
        isDeaf = true
        return true
    }

    /// Checks that the other side ends a connection on which it has sent a Close frame.
    private func awaitEnd(of wire: Wire) {
        kernel.after(.seconds(12)) { [self] in
            guard let socket, socket.wire === wire, !wire.isOver, stage != .over, !wire.isPaused else { return }
            if !ledger.mayBeLate { world.judge.fail("\(name): its closed socket was not ended") }
        }
    }

    /// Nothing more will come on the connection.
    func connectionEnded(_ isReset: Bool) {
        world.tell("\(name): its connection has ended\(isReset ? " by a reset" : "")")
        guard stage != .over, let socket else { return }
        socket.wire.close()
        guard socket.isOpen else {
            if !mayBeRefused, !ledger.mayBeLate, !world.hasLostWorkers {
                world.judge.fail("\(name): its connection was lost before it had a WebSocket")
            }
            neverBegan()
            return
        }
        if ledger.end == nil, !isClosed, !isBeingCut {
            if managed != nil, mayResume(after: Self.lostConnection) {
                isGone()
                return
            }
            ledger.ends(.told(Self.lostConnection), at: kernel.now)
        }
        isGone()
    }
}
