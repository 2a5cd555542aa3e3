/// Whether new clients are served, in words (`/readyz`).
struct Readiness: Equatable {
    /// Why no new client gets a session.
    enum Obstacle: String {
        /// The program is about to end.
        case stopping = "stopping"
        /// All descriptors that sessions may have are in use.
        case noDescriptor = "no descriptor is left for another session"
        /// Every server of every domain failed lately and is left alone.
        case noServer = "every server of every domain is left alone after failures"
    }

    /// What stands in the way; nil when nothing does.
    let obstacle: Obstacle?
    /// The domains whose servers are all left alone.
    let idleDomains: [String]

    /// One line with the answer, and one for each domain without a server.
    var text: String {
        let lines = [obstacle?.rawValue ?? "ready"] + idleDomains.map { "\($0): its servers are left alone" }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Worker {
    /// Whether this worker begins sessions. Another worker may know more of the servers, or less.
    var readiness: Readiness {
        let idle = upstreams.sites.all.filter { upstreams.spares($0) }.map(\.name)
        let obstacle: Readiness.Obstacle? =
            if endsWithProgram {
                .stopping
            } else if !loop.hasDescriptorsToSpare {
                .noDescriptor
            } else if upstreams.sparesAll {
                .noServer
            } else {
                nil
            }
        return Readiness(obstacle: obstacle, idleDomains: idle)
    }
}
