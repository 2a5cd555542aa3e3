import Testing

@testable import Gateway

/// The objects that remain for each idle session. The allocator puts 8 bytes before each and rounds up to 16: from 265
/// to 280 bytes cost the same.
@Suite struct ObjectSizeTests {
    @Test("what stays for each idle session is no larger than it was")
    func idleSession() {
        // 48 bytes of it are the client's address and the record, by which an operator finds a session.
        #expect(Self.size(of: SessionDriver.self) <= 328)
        #expect(Self.size(of: ClientConnection.self) <= 280)
        #expect(Self.size(of: UpstreamLink.self) <= 280)
    }

    @Test("W-35: one object for each idle WebSocket, beside that of its stream")
    func idleWebSocket() {
        #expect(Self.size(of: WebSocketClient.self) <= 536)
    }

    /// The size in bytes of an object of a class. On Linux it is in the class's metadata, after the kind, the
    /// superclass, the flags and the address point.
    private static func size(of type: AnyClass) -> UInt32 {
        unsafeBitCast(type, to: UnsafeRawPointer.self).load(fromByteOffset: 24, as: UInt32.self)
    }
}
