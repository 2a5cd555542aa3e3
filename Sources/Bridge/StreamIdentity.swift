/// What the header of the upstream's stream said. The client is told with the first features (XEP-0206 §4, `X-03`,
/// `X-05`).
package struct StreamIdentity: Sendable, Equatable {
    /// The upstream stream's `id`, given to the client as `authid`.
    package var id: String
    /// The stream version of the upstream; nil for a server older than RFC 3920.
    package var version: ProtocolVersion?
    /// The domain of a stream that was added to the session, told as `from` (`M-02`). Nil for the first stream, whose
    /// domain the creation response tells.
    package var from: String?

    /// The identity of an upstream stream.
    package init(id: String, version: ProtocolVersion?, from: String? = nil) {
        self.id = id
        self.version = version
        self.from = from
    }
}
