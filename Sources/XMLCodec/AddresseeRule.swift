/// Of which stanzas a server's `to` is taken for the address of the stream's client.
///
/// A server finds a client by the address of a stanza (RFC 6120 §8.1.1.1), so `to` names the client. Only an answer may
/// have a `to` that the client has made up: before a login, some servers copy `from` of the request into it.
package enum AddresseeRule: Sendable, Equatable {
    /// Of none: the user is known, or nobody wants to know.
    case ignored
    /// Of messages, presences and requests of the type `iq`, and of no error. A server sends these only to somebody who
    /// has logged in, and nothing that the client wrote is in them.
    case unlessAnswer
    /// Of all: the client has surely logged in, so its server has corrected `from` in all requests of the client
    /// (RFC 6120 §8.1.2.1).
    case always
}
