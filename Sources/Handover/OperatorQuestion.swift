/// What one worker asks another for an operator, because the answer does not stand in a page of counters.
package struct OperatorQuestion: Sendable, Equatable {
    /// What is wanted. The numbers never change their meaning; a worker does not answer one that it does not know.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// The sessions that a filter matches. The text is the filter as the operator wrote it.
        case list = 1
        /// The end of the sessions of a name. The text is the name.
        case end = 2
    }

    /// By which the answer is recognised; unique among what the asking worker asks at the same time.
    package let id: UInt32
    /// What is wanted.
    package let kind: Kind
    /// What it is about; at most `longestText` bytes.
    package let text: String

    /// A question made of its parts.
    package init(id: UInt32, kind: Kind, text: String) {
        self.id = id
        self.kind = kind
        self.text = text
    }

    /// The most bytes of the text.
    package static let longestText = 8_192
}

/// The answer of one worker.
package struct OperatorAnswer: Sendable, Equatable {
    /// The question's.
    package let id: UInt32
    /// How many sessions were found, whether or not a row tells of each, or how many were ended.
    package let count: UInt32
    /// One object in JSON for each session, as many as were asked for.
    package let rows: [String]

    /// An answer made of its parts.
    package init(id: UInt32, count: UInt32, rows: [String] = []) {
        self.id = id
        self.count = count
        self.rows = rows
    }

    /// The most bytes of a row.
    static let longestRow = 65_536
}

extension OperatorQuestion {
    init(reading reader: inout PayloadReader) throws(MessageFault) {
        id = try reader.number32()
        guard let kind = Kind(rawValue: try reader.byte()) else { throw .malformed }
        self.kind = kind
        text = try reader.text(atMost: Self.longestText)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: id)
        bytes.append(kind.rawValue)
        bytes.append(counted: text)
    }
}

extension OperatorAnswer {
    init(reading reader: inout PayloadReader) throws(MessageFault) {
        id = try reader.number32()
        count = try reader.number32()
        rows = try reader.texts(atMost: Self.longestRow)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(bigEndian: id)
        bytes.append(bigEndian: count)
        bytes.append(bigEndian: UInt32(clamping: rows.count))
        for row in rows { bytes.append(counted: row) }
    }
}
