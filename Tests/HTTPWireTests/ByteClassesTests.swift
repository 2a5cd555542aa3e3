import Testing

@testable import HTTPWire

/// The masks, compared with their grammars for all 256 bytes.
struct ByteClassesTests {
    private static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    private func members(_ isMember: (UInt8) -> Bool) -> Set<UInt8> {
        Set((UInt8.min...UInt8.max).filter(isMember))
    }

    @Test func hostNames() {
        #expect(members(ByteClass.isHostName) == Set("-._~!$&'()*+,;=%\(Self.alphanumeric)".utf8))
    }

    @Test func fieldContent() {
        #expect(members(ByteClass.isFieldContent) == Set([0x09] + (0x20...0x7E) + (0x80...0xFF)))
    }

    @Test func targets() {
        #expect(members(ByteClass.isTarget) == Set(0x21...0x7E))
    }
}
