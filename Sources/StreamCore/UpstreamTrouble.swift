/// What went wrong on the way to a server and is worth a line for the operator, though the stream may still come to be.
package enum UpstreamTrouble: Sendable, Equatable {
    /// A name could not be looked up; the resolver's words.
    case name(reason: String)
    /// A stranger's domain names a port where other services are.
    case strangePort
    /// A stranger's domain names a server that has no public address.
    case noPublicAddress
    /// A connection could not be made: the system call and its `errno`.
    case connection(call: String, code: Int32)
    /// A connection could not be begun, for want of something of our own.
    case shortage(OwnShortage)
}

/// What this program or its machine lacks for one more connection. No server had a part in it.
package enum OwnShortage: Sendable, Equatable {
    /// A descriptor: the rest is kept for the loop.
    case descriptors
    /// A place: there are as many connections to this server as there may be.
    case places
    /// A local port for a connection to this address.
    case ports
    /// Something else that the kernel has too little of: the system call and its `errno`.
    case kernel(call: String, code: Int32)
}

/// What a trouble is about.
package enum TroubleSubject: Sendable, Equatable {
    /// A name that was looked up.
    case name(String)
    /// A server.
    case server(UpstreamKey)
    /// An attempt to connect.
    case attempt(Int)
}
