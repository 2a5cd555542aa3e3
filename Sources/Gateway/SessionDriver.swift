import BOSHCore

/// A session and what the worker keeps beside it. A class, so that a session is changed where it stands.
final class SessionDriver {
    let slot: UInt32
    var session: Session
    /// The upstream streams that neither side has ended; nearly always one.
    var links: [UpstreamLink] = []
    /// How much of the worker's budget for responses it takes.
    var spareBytes = 0
    /// Whether it stands in the queue of sessions that keep more responses than they must.
    var isInSpareQueue = false

    init(slot: UInt32, session: consuming Session) {
        self.slot = slot
        self.session = session
    }

    /// The link of one stream; nil once either side has ended it.
    func link(_ stream: StreamNumber) -> UpstreamLink? {
        for link in links where link.stream == stream { return link }
        return nil
    }
}
