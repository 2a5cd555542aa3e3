import Primitives

/// The versions of the PROXY protocol: 1 is a line of text, 2 is binary.
package enum ProxyVersion: Sendable, Equatable, CaseIterable {
    case v1, v2
}

/// The header with which a proxy begins a connection, to tell the server for which client connection it stands.
///
/// Source: "The PROXY protocol, versions 1 & 2", HAProxy, §2.1 and §2.2.
package enum ProxyHeader {
    /// Appends a header. `source` is the client's end of the client's connection, `destination` the proxy's end of it.
    ///
    /// When an end is unknown, the header is `UNKNOWN` or `LOCAL`, and the server takes the connection's own addresses.
    /// A header has one address family: ends of different families are both written as IPv6, the IPv4 one mapped.
    /// Mapped ends are written as IPv4 when both can be.
    package static func append(
        _ version: ProxyVersion, source: Endpoint?, destination: Endpoint?, into output: inout [UInt8]
    ) {
        guard let source, let destination else {
            switch version {
            case .v1: output.append(contentsOf: "PROXY UNKNOWN\r\n".utf8)
            case .v2: appendFixedPart(command: local, family: 0, length: 0, into: &output)
            }
            return
        }
        switch version {
        case .v1: appendLine(source, destination, into: &output)
        case .v2: appendBinary(source, destination, into: &output)
        }
    }

    // MARK: Version 1

    private static func appendLine(_ source: Endpoint, _ destination: Endpoint, into output: inout [UInt8]) {
        switch (source.address.unmapped, destination.address.unmapped) {
        case (.v4(let from), .v4(let to)):
            output.append(contentsOf: "PROXY TCP4 ".utf8)
            IPAddress.appendQuad(from, into: &output)
            output.append(Ascii.space)
            IPAddress.appendQuad(to, into: &output)
        case (let from, let to):
            // Hexadecimal groups only: the specification has no mixed notation.
            output.append(contentsOf: "PROXY TCP6 ".utf8)
            IPAddress.appendGroups(from.mapped, into: &output)
            output.append(Ascii.space)
            IPAddress.appendGroups(to.mapped, into: &output)
        }
        output.append(Ascii.space)
        output.append(decimal: Int(source.port))
        output.append(Ascii.space)
        output.append(decimal: Int(destination.port))
        output.append(Ascii.carriageReturn)
        output.append(Ascii.lineFeed)
    }

    // MARK: Version 2

    /// CR LF CR LF NUL CR LF "QUIT" LF: no server of another protocol takes it for a request.
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// Version 2 and the command, one half of a byte each.
    static let local: UInt8 = 0x20
    static let proxy: UInt8 = 0x21
    /// The address family and `STREAM`, one half of a byte each.
    static let tcp4: UInt8 = 0x11
    static let tcp6: UInt8 = 0x21

    private static func appendBinary(_ source: Endpoint, _ destination: Endpoint, into output: inout [UInt8]) {
        switch (source.address.unmapped, destination.address.unmapped) {
        case (.v4(let from), .v4(let to)):
            appendFixedPart(command: proxy, family: tcp4, length: 12, into: &output)
            output.append(bigEndian: from)
            output.append(bigEndian: to)
        case (let from, let to):
            appendFixedPart(command: proxy, family: tcp6, length: 36, into: &output)
            output.append(bigEndian: from.mapped)
            output.append(bigEndian: to.mapped)
        }
        output.append(bigEndian: source.port)
        output.append(bigEndian: destination.port)
    }

    private static func appendFixedPart(command: UInt8, family: UInt8, length: UInt16, into output: inout [UInt8]) {
        output.append(contentsOf: signature)
        output.append(command)
        output.append(family)
        output.append(bigEndian: length)
    }
}
