import Testing

@testable import Addresses

struct EndpointTests {
    @Test func printsWithBracketsAroundIPv6() {
        #expect(Endpoint(address: .v4(0xC000_0201), port: 5222).description == "192.0.2.1:5222")
        #expect(Endpoint(address: .v6(1), port: 0).description == "[::1]:0")
        #expect(Endpoint(address: .v6(0xFFFF_C000_0201), port: 65_535).description == "[::ffff:192.0.2.1]:65535")
    }
}
