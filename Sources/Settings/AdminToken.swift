import Primitives

/// The secret that requests on the admin listener have to show, from the file that `admin-token-file` names.
///
/// The token is never printed: the value that holds it says only that there is one.
package struct AdminToken: Sendable, Equatable {
    private let bytes: [UInt8]

    /// What is wrong with the content of a file, as the end of a sentence about the file.
    package struct Fault: Error, Equatable {
        package let words: String
    }

    /// The token in the first line of a file; white space around it does not count.
    ///
    /// - Throws: the file has no token, or one that is too short or cannot be sent.
    package init(fileContent: [UInt8]) throws(Fault) {
        let lines = fileContent.split(omittingEmptySubsequences: false) { $0 == Self.lineFeed }
        guard lines.dropFirst().allSatisfy({ $0.allSatisfy(Self.isSpace) }) else {
            throw Fault(words: "has more than one line: it must have the token alone")
        }
        var token = lines.first ?? []
        while let last = token.last, Self.isSpace(last) { token.removeLast() }
        while let first = token.first, Self.isSpace(first) { token.removeFirst() }
        guard token.count >= Self.shortest else {
            throw Fault(words: "has a token of \(token.count) characters: it needs at least \(Self.shortest)")
        }
        guard token.count <= Self.longest, token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Fault(
                words: "has a token that cannot be sent: use up to \(Self.longest) letters, digits and signs of ASCII")
        }
        bytes = Array(token)
    }

    /// The value of the field `Authorization` that shows the token.
    package var authorization: String { "Bearer " + String(decoding: bytes, as: UTF8.self) }

    /// Whether one of the values of `Authorization` shows the token: as `Bearer` (RFC 6750 §2.1), or as the password of
    /// `Basic` with any user (RFC 7617 §2), which browsers can send. How long this takes does not depend on how much of
    /// a wrong token is right.
    package func admits(_ fields: [[UInt8]]) -> Bool {
        // Two values could be read in two ways.
        guard fields.count == 1, let field = fields.first, field.count <= Self.longestField,
            let space = field.firstIndex(of: UInt8(ascii: " "))
        else { return false }
        let scheme = field[..<space].map(\.asciiLowercased)
        let rest = field[space...].drop { $0 == UInt8(ascii: " ") }
        if scheme.elementsEqual("bearer".utf8) { return isEqual(Array(rest)) }
        guard scheme.elementsEqual("basic".utf8), let pair = Base64.decode(Array(rest).span),
            let colon = pair.firstIndex(of: UInt8(ascii: ":"))
        else { return false }
        return isEqual(Array(pair[(colon + 1)...]))
    }

    private func isEqual(_ given: [UInt8]) -> Bool {
        // The length may be learnt, and nothing else: all bytes are compared.
        guard given.count == bytes.count else { return false }
        var difference: UInt8 = 0
        for index in bytes.indices { difference |= bytes[index] ^ given[index] }
        return difference == 0
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == lineFeed
    }

    private static let lineFeed: UInt8 = 0x0A
    /// With fewer characters a token could be guessed.
    private static let shortest = 16
    private static let longest = 1_024
    /// More than any field with the longest token has.
    private static let longestField = 4_096
}

extension AdminToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "a token" }
    package var debugDescription: String { description }
    /// Nothing of the token, because a test or a log may print any value by its parts.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
