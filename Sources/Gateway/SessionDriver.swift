import BOSHCore

/// A session and what the worker keeps beside it. A class, so that a session is changed where it stands.
final class SessionDriver {
    let slot: UInt32
    var session: Session
    /// The upstream stream, until either side has ended it.
    var link: UpstreamLink?

    init(slot: UInt32, session: consuming Session, link: UpstreamLink) {
        self.slot = slot
        self.session = session
        self.link = link
    }
}
