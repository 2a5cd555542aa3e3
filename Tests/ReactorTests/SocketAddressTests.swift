import Glibc
import Testing

@testable import Reactor

@Suite struct SocketAddressTests {
    @Test(arguments: [
        "127.0.0.1:5280", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:5280", "[::]:80", "[2001:db8::1]:443",
        "[fe80::1%1]:5222", "[::ffff:127.0.0.1]:1", "unix:/run/holdfast.sock", "unix:relative",
    ])
    func `what is read is written the same way`(_ text: String) throws {
        let address = try #require(SocketAddress(text))
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", ":", "127.0.0.1", "127.0.0.1:", ":5280", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:1x",
        "127.0.0.1:000080", "127.1:80", "256.0.0.1:80", "localhost:80", "::1:80", "[::1]", "[::1]80", "[::1:80",
        "[127.0.0.1]:80", "[]:80", "[::g]:80", "[fe80::1%]:80", "[fe80::1%nosuchinterface]:80", "unix:", "*:80",
        "127.0.0.1 :80", "127.0.0.1:80 ", "127.0.0.1:８０", "unix:a\0b", "127.0.0.1\0:80",
    ])
    func `everything else is refused`(_ text: String) {
        #expect(SocketAddress(text) == nil)
    }

    @Test func `a path fits the kernel's structure or is refused`() {
        let longest = String(repeating: "p", count: SocketAddress.maximumPathLength)
        #expect(SocketAddress("unix:" + longest) == .unix(longest))
        #expect(SocketAddress("unix:" + longest + "p") == nil)
    }

    @Test func `numbers are in host order`() {
        #expect(SocketAddress("127.0.0.1:5280") == .ipv4(0x7F00_0001, port: 5_280))
        #expect(SocketAddress("[::1]:5280") == .ipv6(1, port: 5_280, scope: 0))
        #expect(SocketAddress("[2001:db8::2]:1") == .ipv6(0x2001_0DB8 << 96 | 2, port: 1, scope: 0))
        #expect(SocketAddress("[fe80::1%lo]:1") == .ipv6(0xFE80 << 112 | 1, port: 1, scope: if_nametoindex("lo")))
    }

    @Test(arguments: [
        ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("128.0.0.1:1", false), ("0.0.0.0:1", false),
        ("[::1]:1", true), ("[::]:1", false), ("[::ffff:127.0.0.1]:1", true), ("[::ffff:10.0.0.1]:1", false),
        ("[::7f00:1]:1", false), ("unix:/x", true),
    ])
    func `loopback is recognised`(_ text: String, _ isLoopback: Bool) throws {
        #expect(try #require(SocketAddress(text)).isLoopback == isLoopback)
    }

    @Test(arguments: ["1.2.3.4:5", "[2001:db8::1%7]:65535", "[::]:0", "unix:/tmp/a b"])
    func `the kernel's form keeps everything`(_ text: String) throws {
        let address = try #require(SocketAddress(text))
        var storage = sockaddr_storage()
        _ = address.withSockaddr { pointer, length in
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: Int(length)))
            }
            return 0
        }
        #expect(SocketAddress(storage) == address)
        #expect(address.port == (text.hasPrefix("unix:") ? nil : UInt16(text.split(separator: ":").last ?? "")))
    }

    @Test func `the port can be exchanged`() {
        #expect(SocketAddress.ipv4(1, port: 0).with(port: 9) == .ipv4(1, port: 9))
        #expect(SocketAddress.ipv6(1, port: 3, scope: 2).with(port: .max) == .ipv6(1, port: .max, scope: 2))
        #expect(SocketAddress.unix("/x").with(port: 9) == .unix("/x"))
    }

    @Test func `a family that is not spoken is no address`() {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_PACKET)
        #expect(SocketAddress(storage) == nil)
    }
}
