import Bridge

extension DialogueLine {
    /// What a `U` line says, as a session hears it: the same words mean the same for every door.
    ///
    /// - Throws: a fault when the line says nothing.
    package func upstreamEvents() throws(ScriptFault) -> [UpstreamEvent] {
        let bytes = Array(payload.utf8)
        switch plain.first {
        case "open":
            let version = self["version"].flatMap { ProtocolVersion(parsing: Array($0.utf8).span) }
            return [.opened(StreamIdentity(id: self["id"] ?? "", version: version), features: bytes)]
        case "features": return [.restarted(features: bytes)]
        case "login": return [.loggedIn] + stanzas
        case "register": return [.registrationOffered] + stanzas
        case "managed": return [.managed(isResumable: false)] + stanzas
        case "resumable": return [.managed(isResumable: true)] + stanzas
        case "stall": return [.congested(.slow)]
        case "full": return [.congested(.full)]
        case "overfull": return [.congested(.overfull)]
        case "flow": return [.congested(.none)]
        case "end":
            guard let reason = plain.lazy.compactMap({ EndReason(rawValue: $0) }).first else {
                throw ScriptFault("no reason: \(self)")
            }
            return [.ended(reason, streamError: bytes)]
        case nil where !payload.isEmpty: return stanzas
        default: throw ScriptFault("the server does nothing: \(self)")
        }
    }

    /// The stanzas of the payload, as one arrival; none without a payload.
    private var stanzas: [UpstreamEvent] {
        guard !payload.isEmpty else { return [] }
        var borders: [Int] = []
        var end = 0
        for element in topLevelElements(payload) {
            if end > 0 { borders.append(end) }
            end += element.utf8.count
        }
        return [.stanzas(Array(payload.utf8), borders: borders)]
    }
}

extension DialogueLine {
    /// The line for what a session without further streams tells its server.
    package init(_ command: UpstreamCommand) {
        switch command {
        case .open(let request):
            var words = ["open", "to=\(request.domain)"]
            if let language = request.language { words.append("lang=\(language)") }
            if let account = request.account { words.append("for=\(account.text)") }
            self.init("F", words)
        case .forward(let bytes): self.init("F", [], payload: String(decoding: bytes, as: UTF8.self))
        case .restart: self.init("F", ["restart"])
        case .returnUnfetched(let bytes): self.init("R", [], payload: String(decoding: bytes, as: UTF8.self))
        case .leave(let farewell): self.init("F", [farewell == .close ? "close" : "drop"])
        case .pauseReading: self.init("B", ["stop"])
        case .resumeReading: self.init("B", ["go"])
        }
    }

    /// The attributes of a start tag as words, without the declarations of namespaces; `xml:lang` is `lang`.
    package static func attributes(_ tag: some StringProtocol, quote: Character) -> [String] {
        var words: [String] = []
        let parts = tag.split(separator: quote, omittingEmptySubsequences: false)
        for (name, value) in zip(parts, parts.dropFirst()) where name.hasSuffix("=") {
            guard let name = name.dropLast().split(separator: " ").last, !name.hasPrefix("xmlns") else { continue }
            words.append("\(name == "xml:lang" ? "lang" : name)=\(value)")
        }
        return words
    }
}

extension DialogueLine {
    /// The head of the request of a `C` line over HTTP polling (XEP-0025 "Data Transfer"), with the keys by their names.
    ///
    /// - Parameter identifier: the session's, unless the line names another one.
    package func pollingHead(_ identifier: String) -> String {
        let fields = [self["id"] ?? identifier] + ["key", "newkey"].compactMap { self[$0].map(ChainKey.base64) }
        return fields.joined(separator: ";") + (words.contains("headless") ? "" : ",")
    }
}
