/// Who uses the sessions, by their places. Most users have their account at the domain that they asked for, so only the
/// part before the `@` is kept, which for most names needs no allocation.
struct SessionUsers {
    /// One list for each side. A text without `@` is an account at the session's domain; an empty one is none.
    private var names: [[String]] = SessionPlace.Side.allCases.map { _ in [] }

    /// Keeps the bare JID of a session's user, unless there is one already.
    ///
    /// - Parameter domain: the domain that the session asked for; nil when any may be asked for.
    mutating func set(_ jid: String, of session: SessionPlace, at domain: String?) {
        let (side, slot) = Self.index(session)
        if slot >= names[side].count {
            // A list that doubles would have room for twice as many sessions as there are.
            let count = (slot / Self.step + 1) * Self.step
            names[side].reserveCapacity(count)
            names[side].append(contentsOf: repeatElement("", count: count - names[side].count))
        }
        guard names[side][slot].isEmpty else { return }
        names[side][slot] = Self.kept(jid, at: domain)
    }

    /// Whether the user of a session is not known.
    func lacks(_ session: SessionPlace) -> Bool {
        let (side, slot) = Self.index(session)
        return slot >= names[side].count || names[side][slot].isEmpty
    }

    /// The bare JID of a session's user; nil when it is not known.
    func user(of session: SessionPlace, at domain: String?) -> String? {
        let (side, slot) = Self.index(session)
        guard slot < names[side].count, !names[side][slot].isEmpty else { return nil }
        let name = names[side][slot]
        guard name.utf8.contains(Self.at) else { return "\(name)@\(domain ?? "")" }
        return name.utf8.first == Self.at ? String(name.dropFirst()) : name
    }

    /// Forgets the user of a session that has ended.
    mutating func remove(_ session: SessionPlace) {
        let (side, slot) = Self.index(session)
        if slot < names[side].count { names[side][slot] = "" }
    }

    private static func index(_ session: SessionPlace) -> (side: Int, slot: Int) {
        (Int(session.side.rawValue), Int(session.slot))
    }

    /// What is kept of a JID. One without an account begins with `@`.
    private static func kept(_ jid: String, at domain: String?) -> String {
        guard let end = jid.utf8.firstIndex(of: at) else { return "@" + jid }
        guard let domain, end > jid.startIndex, jid[jid.utf8.index(after: end)...].lowercased() == domain.lowercased()
        else { return jid }
        // A copy: a part of a text keeps the whole of it.
        return String(jid[..<end])
    }

    private static let at = UInt8(ascii: "@")
    /// By how many sessions a list grows.
    private static let step = 1_024
}
