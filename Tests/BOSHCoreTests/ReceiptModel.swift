import BOSHCore

/// A client, a network and the answers of a session, as small as possible but with everything that decides what a
/// client has read: requests arrive in any order, or are refused and come again; answers are read in any order or never
/// (a lost answer that is asked for again is one that is read later); connections break; the client pauses; the page is
/// reloaded.
///
/// Rids whose answer was read, or given up by a page that is gone, are forgotten where the rule does not depend on
/// them. So there are few states, and `explore` visits every one: its findings hold for histories of any length.
struct ReceiptModel {
    /// When an answer counts as proven to have been read.
    enum Rule {
        /// When a new request comes and no other was open as the answer was sent. Unsound; see the tests.
        case wasAlone
        /// When a request comes that is `requests` above. Unsound; see the tests.
        case requestsFurtherOn
        /// By counting, as if a pause took the place of another request. Unsound.
        case countingPausesAsOthers
        /// By counting, with one place less. Unsound.
        case countingOneSooner
        /// The session's own rule.
        case counting
    }

    /// Everything known about one rid.
    struct Rid: OptionSet, Hashable {
        let rawValue: UInt16

        /// The request has come.
        static let arrived = Rid(rawValue: 1)
        /// The request's turn has come, and it is held.
        static let held = Rid(rawValue: 2)
        static let answered = Rid(rawValue: 4)
        /// The request is a pause or a terminate. It may be held like any other: one that is refused, or one that
        /// closes one of several streams.
        static let extra = Rid(rawValue: 8)
        /// The client has read the answer.
        static let read = Rid(rawValue: 16)
        /// The page that sent the request is gone.
        static let givenUp = Rid(rawValue: 32)
        /// The rule says that the client has read the answer.
        static let proven = Rid(rawValue: 64)
        static let wasAlone = Rid(rawValue: 128)
        /// The answer is empty, because it was given when the connection broke.
        static let empty = Rid(rawValue: 256)
    }

    typealias State = [Rid]

    /// A possible next step, and the state that it leads to.
    struct Step {
        let name: String
        let state: State
    }

    let rule: Rule
    let requests: Int
    /// The number of held requests; `requests` of them while the upstream is congested.
    let hold: Int
    /// Whether the client sends pauses.
    var pauses = true
    /// Whether what a page had not read before its reload counts as unread for ever.
    var remembersGivenUp = false

    /// Visits every state.
    ///
    /// - Returns: the number of states, and the shortest way to one in which an answer is proven that the client has
    ///   not read.
    func explore() -> (states: Int, refutation: [String]?) {
        var seen: Set<State> = [[]]
        var queue: [(state: State, before: Int, name: String)] = [([], -1, "")]
        var next = 0
        while next < queue.count {
            for step in steps(from: queue[next].state) {
                if step.state.contains(where: isUnsound) {
                    var way = [step.name]
                    var at = next
                    while at > 0 {
                        way.append(queue[at].name)
                        at = queue[at].before
                    }
                    return (seen.count, way.reversed())
                }
                let state = rule == .requestsFurtherOn ? step.state : step.state.filter { !isDone($0) }
                if seen.insert(state).inserted { queue.append((state, next, step.name)) }
            }
            next += 1
        }
        return (seen.count, nil)
    }

    private func isUnsound(_ rid: Rid) -> Bool {
        rid.contains(.proven) && rid.isDisjoint(with: remembersGivenUp ? [.read, .empty] : [.read, .empty, .givenUp])
    }

    /// Whether nothing depends on the rid any more.
    private func isDone(_ rid: Rid) -> Bool {
        rid.contains(.answered) && !rid.isDisjoint(with: remembersGivenUp ? [.read] : [.read, .givenUp])
    }

    private func steps(from state: State) -> [Step] {
        var steps: [Step] = []
        let unread = state.filter { $0.isDisjoint(with: [.read, .givenUp]) }
        for rid in pauses ? [[], .extra] : [[]] as [Rid] {
            let hasExtra = rid == .extra || unread.contains { $0.contains(.extra) }
            if unread.count < requests + (hasExtra ? 1 : 0) {
                steps.append(Step(name: rid == .extra ? "pause" : "send", state: state + [rid]))
            }
        }
        for index in state.indices {
            let rid = state[index]
            var after = state
            if rid.contains(.answered), rid.isDisjoint(with: [.read, .givenUp]) {
                after[index].insert(.read)
                steps.append(Step(name: "read \(index)", state: after))
            } else if rid.contains(.held) {
                // Answers go out in rid order; only a broken connection gets its answer before its turn.
                let isFirst = !state[..<index].contains { $0.contains(.held) }
                answer(index, in: &after)
                if !isFirst { after[index].insert(.empty) }
                steps.append(Step(name: "\(isFirst ? "answer" : "break") \(index)", state: after))
            } else if !rid.contains(.arrived), let processed = inWindow(index, state) {
                note(index, processed: processed, in: &after)
                if index > processed { steps.append(Step(name: "refuse \(index)", state: after)) }
                after[index].insert(.arrived)
                process(from: processed, in: &after)
                steps.append(Step(name: "arrive \(index)", state: after))
            }
        }
        // A new page can go on only when nothing that the old one sent was lost.
        if !unread.isEmpty, state.allSatisfy({ $0.contains(.arrived) }) {
            let after = state.map { $0.contains(.read) ? $0 : $0.union(.givenUp) }
            steps.append(Step(name: "reload", state: after))
        }
        return steps
    }

    /// The number of processed rids, if a rid that comes now is not above the session's window.
    private func inWindow(_ index: Int, _ state: State) -> Int? {
        let processed = state.lastIndex { !$0.isDisjoint(with: [.held, .answered]) }.map { $0 + 1 } ?? 0
        return index - processed < requests + (state[index].contains(.extra) ? 1 : 0) ? processed : nil
    }

    /// Processes the requests whose turn has come.
    private func process(from processed: Int, in state: inout State) {
        var next = processed
        while next < state.count, state[next].contains(.arrived) {
            state[next].insert(.held)
            next += 1
            while state.count(where: { $0.contains(.held) }) > hold,
                let oldest = state.firstIndex(where: { $0.contains(.held) })
            {
                answer(oldest, in: &state)
            }
        }
    }

    private func answer(_ index: Int, in state: inout State) {
        state[index].remove(.held)
        state[index].insert(.answered)
        let isOpen = { (rid: Rid) in rid.contains(.arrived) && !rid.contains(.answered) }
        if !state.contains(where: isOpen) { state[index].insert(.wasAlone) }
    }

    /// Applies the rule to a request that arrives.
    private func note(_ index: Int, processed: Int, in state: inout State) {
        let missing = index - processed
        let held = state.filter { $0.contains(.held) }
        let mayIncludeExtra = state[index].contains(.extra) || missing > 0 || held.contains { $0.contains(.extra) }
        let unanswered = held.count + missing
        for lower in 0..<index where state[lower].contains(.answered) {
            let isProven =
                switch rule {
                case .wasAlone: state[lower].contains(.wasAlone)
                case .requestsFurtherOn: index - lower >= requests
                case .countingPausesAsOthers:
                    ReceiptProof(requests: requests, unanswered: unanswered, mayIncludeExtra: false)
                        .isProven(isExtra: false)
                case .countingOneSooner:
                    ReceiptProof(requests: requests - 1, unanswered: unanswered, mayIncludeExtra: mayIncludeExtra)
                        .isProven(isExtra: state[lower].contains(.extra))
                case .counting:
                    ReceiptProof(requests: requests, unanswered: unanswered, mayIncludeExtra: mayIncludeExtra)
                        .isProven(isExtra: state[lower].contains(.extra))
                }
            if isProven { state[lower].insert(.proven) }
        }
    }
}
