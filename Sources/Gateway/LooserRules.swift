import HTTPWire
import Handover
import Settings

/// What clients of other generations may send and those of this worker's sessions may not.
///
/// A request by such rules is either for a session of another worker, which judges it by its own, or it is refused as if
/// there were no other generation.
struct LooserRules {
    private let own: SharedRules
    private let all: SharedRules
    /// The policy with the origins of all generations.
    let crossOrigin: CrossOriginPolicy

    /// The longest body of any generation, in bytes.
    var body: Int { Int(max(own.body, all.body)) }

    /// - Parameters:
    ///   - crossOrigin: this worker's policy, with the origins that it was told before.
    init(_ all: SharedRules, own: SharedRules, _ crossOrigin: CrossOriginPolicy) {
        self.all = all
        self.own = own
        self.crossOrigin = crossOrigin.allowing(all.origins)
    }

    /// Whether another generation may allow a request that this worker's settings do not.
    func covers(_ head: RequestHead, _ settings: Settings) -> Bool {
        // Its own endpoint for HTTP polling finds the owner by itself.
        if let polling = settings.pollingPath, head.isFor(polling) { return false }
        if !head.isFor(settings.path) { return all.paths.contains { head.isFor($0) } }
        switch head.method {
        case .post, .options: return !settings.crossOrigin.admits(head) && crossOrigin.admits(head)
        default: return false
        }
    }
}

extension Clients {
    /// Reads requests by these rules of all generations until it is known which worker owns their session.
    ///
    /// - Parameter own: the rules of this worker's generation.
    func read(by all: SharedRules, own: SharedRules) {
        use(LooserRules(all, own: own, looserRules?.crossOrigin ?? loop.settings.crossOrigin))
    }

    /// Answers a request that this worker's settings do not allow, or sends it to the worker of another generation that
    /// owns its session.
    func serveLoosely(
        _ request: borrowing HTTPRequest, on connection: ClientConnection, _ looser: LooserRules
    ) {
        switch (request.head.method, request.head.framing, request.head.coding) {
        case (.options, _, _):
            respond(
                to: request.exchange, on: connection,
                looser.crossOrigin.preflight(for: request.head, headers: loop.settings.crossOriginHeaders))
        case (.post, let framing, let coding?) where framing != .none:
            guard coding != .identity else {
                if !goesElsewhere(request, on: connection) { refuseStrictly(request, on: connection) }
                return
            }
            switch bodies.coder.expand(request.body.span, coding: coding, expansionBounds) {
            case .bytes(let body):
                var plain = copy request
                plain.body = body
                plain.head.coding = .identity
                if !goesElsewhere(plain, on: connection) { refuseStrictly(request, on: connection) }
            case .refused(let refusal):
                refuse(request, refusal, on: connection)
            }
        default:
            refuseStrictly(request, on: connection)
        }
    }

    /// Answers a request as this worker's settings demand.
    private func refuseStrictly(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        if request.head.isFor(loop.settings.path) {
            refusePage(request, on: connection)
        } else {
            respond(to: request.exchange, on: connection, resource(of: request.head))
        }
    }
}
