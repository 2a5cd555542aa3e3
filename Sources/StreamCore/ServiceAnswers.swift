/// Collects what the DNS says about the services of one domain until every question is answered (RFC 6120 §3.2,
/// XEP-0368 §2).
struct ServiceAnswers: Sendable {
    /// The services that were asked for and are not answered yet, in the order of asking.
    private(set) var awaited: [ServiceKind]
    private let tls: TLSMode
    private var records: [ServiceKind: [ServiceRecord]] = [:]
    /// Whether the domain said that it does not offer a service, or gave records that nobody can use.
    private var isRefused = false
    /// Whether the DNS said that a service has no records.
    private var isAbsent = false

    /// The questions for a domain whose connections are protected in this way.
    init(tls: TLSMode) {
        self.tls = tls
        awaited =
            switch tls {
            case .none: [.plain]
            case .startTLS: [.directTLS, .plain]
            case .direct: [.directTLS]
            }
    }

    /// Whether every question is answered.
    var isComplete: Bool { awaited.isEmpty }

    /// Notes the records of a service; ignores them when they are not awaited.
    mutating func note(_ kind: ServiceKind, _ answer: [ServiceRecord]) {
        guard !answer.isEmpty else { return noteFailure(kind, isTemporary: false) }
        guard take(kind) else { return }
        let usable = answer.filter { $0.port != 0 && !$0.target.isEmpty && $0.target != "." }
        if usable.isEmpty { isRefused = true } else { records[kind] = usable }
    }

    /// Notes that a service has no records, or that the DNS could not be asked; ignores it when no answer is awaited.
    mutating func noteFailure(_ kind: ServiceKind, isTemporary: Bool) {
        guard take(kind) else { return }
        if !isTemporary { isAbsent = true }
    }

    /// The targets that the answers name, not yet in order; targets with direct TLS come first.
    ///
    /// If there are no records, the domain itself is the target (RFC 6120 §3.2.2), unless the domain said `.` for a
    /// service (RFC 2782) or the DNS could not be asked at all.
    func targets(of domain: String) -> [UpstreamTarget] {
        let found = ServiceKind.allCases.flatMap { kind in
            (records[kind] ?? []).map { record in
                UpstreamTarget(
                    host: record.target, port: record.port, tls: kind == .directTLS ? .direct : tls,
                    priority: record.priority, weight: record.weight)
            }
        }
        guard found.isEmpty, isAbsent, !isRefused else { return found }
        return [UpstreamTarget(host: domain, port: Self.port(tls), tls: tls)]
    }

    /// The client port of a server that has no service records (RFC 6120 §14.7; 5223 by custom).
    private static func port(_ tls: TLSMode) -> UInt16 { tls == .direct ? 5223 : 5222 }

    private mutating func take(_ kind: ServiceKind) -> Bool {
        guard let index = awaited.firstIndex(of: kind) else { return false }
        awaited.remove(at: index)
        return true
    }
}
