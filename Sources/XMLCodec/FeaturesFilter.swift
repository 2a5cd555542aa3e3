import StreamCore

/// Finds in `<stream:features/>` what only concerns this program's own connection to the server, to be cut out (`X-06`).
///
/// STARTTLS and compression end here; channel binding cannot reach through; EXTERNAL would let a client log in as this program.
/// Depths count the stream as 1 and the features as 2.
struct FeaturesFilter {
    /// What the client does not get, in the order of the bytes.
    private(set) var cuts: [Range<Int>] = []
    /// What the features say about STARTTLS.
    private(set) var startTLS = StartTLSOffer.absent

    /// The start and the depth of the element that is being cut out.
    private var cut: (start: Int, depth: Int)?
    private var isInStartTLS = false
    /// The namespace of the list of mechanisms that is being read.
    private var list = InternedName.none
    /// The mechanism that is being read: its start and its name so far.
    private var mechanism: (start: Int, name: [UInt8])?

    /// An element inside the features begins.
    mutating func opened(_ local: InternedName, _ uri: InternedName, depth: Int, start: Int, names: StreamNames) {
        if let cut {
            if isInStartTLS, depth == cut.depth + 1, local == names.required, uri == names.tls {
                startTLS = .required
            }
            return
        }
        if local == names.channelBinding, uri == names.channelBindings {
            cut = (start, depth)
        } else if depth == 3 {
            list = .none
            if local == names.startTLS, uri == names.tls {
                cut = (start, depth)
                isInStartTLS = true
                if startTLS == .absent { startTLS = .offered }
            } else if local == names.compression, uri == names.compressFeature {
                cut = (start, depth)
            } else if (local == names.mechanisms && uri == names.sasl)
                || (local == names.authentication && uri == names.sasl2)
            {
                list = uri
            }
        } else if depth == 4, local == names.mechanism, uri == list, !list.isNone {
            mechanism = (start, [])
        }
    }

    /// Text inside the features.
    mutating func read(_ text: UnsafeBufferPointer<UInt8>) {
        unsafe mechanism?.name.append(contentsOf: text)
    }

    /// An element inside the features has ended.
    mutating func closed(depth: Int, end: Int) {
        if let cut, cut.depth == depth {
            cuts.append(cut.start..<end)
            self.cut = nil
            isInStartTLS = false
        } else if depth == 4, cut == nil, let mechanism {
            if Self.endsAtThisProgram(mechanism.name) {
                cuts.removeAll { $0.lowerBound >= mechanism.start }
                cuts.append(mechanism.start..<end)
            }
            self.mechanism = nil
        }
    }

    /// Whether a mechanism concerns the connection to the server, not the user behind it (RFC 5802 §6, RFC 4422 §A).
    private static func endsAtThisProgram(_ name: [UInt8]) -> Bool {
        let word = name.drop(while: \.isXMLSpace).reversed().drop(while: \.isXMLSpace).reversed().map { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & 0xDF : byte
        }
        return word.elementsEqual("EXTERNAL".utf8) || word.suffix(5).elementsEqual("-PLUS".utf8)
    }
}
