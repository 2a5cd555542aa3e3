import BOSHCore
import Bridge
import Testing

@Suite struct BodyAttributesTests {
    private static func number(_ text: String) -> NumberAttribute {
        NumberAttribute(parsing: Array(text.utf8).span)
    }

    private static func version(_ text: String) -> ProtocolVersion? {
        ProtocolVersion(parsing: Array(text.utf8).span)
    }

    @Test(
        "S-19 a number is digits up to 2^53-1",
        arguments: [
            ("0", UInt64(0)), ("1", 1), ("007", 7), ("4294967296", 4_294_967_296),
            ("9007199254740991", 9_007_199_254_740_991), (" 5", 5), ("5\n", 5), ("\t\r 12 \n", 12),
            ("000000000000000000000000000000000000001", 1),
        ]) func readsNumbers(text: String, value: UInt64)
    {
        #expect(Self.number(text) == .value(value))
        #expect(Self.number(text).number == value)
    }

    @Test(
        "S-19 S-20 anything else is malformed, never a trap",
        arguments: [
            "", " ", "-1", "+1", "1.0", "1e3", "0x10", "1 2", "one", "9007199254740992", "18446744073709551616",
            "99999999999999999999999999999999999999", "1\u{0}", "\u{661}", "1,000", "\u{A0}1",
        ]) func refusesNumbers(text: String)
    {
        #expect(Self.number(text) == .malformed)
        #expect(Self.number(text).number == nil)
    }

    @Test("an attribute that is not there has no number")
    func hasNoNumberWhenAbsent() {
        #expect(NumberAttribute.absent.number == nil)
        #expect(BodyAttributes().rid == .absent)
    }

    @Test(
        "S-07 a version is two integers",
        arguments: [
            ("1.0", UInt32(1), UInt32(0)), ("1.6", 1, 6), ("1.11", 1, 11), ("0.0", 0, 0), ("01.06", 1, 6),
            ("999999.999999", 999_999, 999_999),
        ]) func readsVersions(text: String, major: UInt32, minor: UInt32)
    {
        #expect(Self.version(text) == ProtocolVersion(major: major, minor: minor))
    }

    @Test(
        "S-14 anything else is no version",
        arguments: [
            "", "1", ".", "1.", ".1", "1.1.1", "1..1", "-1.0", "1.-1", "a.b", "1.0 ", " 1.0", "1000000.0", "1.1000000",
            "4294967296.0", "1,0", "1.0a",
        ]) func refusesVersions(text: String)
    {
        #expect(Self.version(text) == nil)
    }

    @Test("S-07 versions compare as integers, not as decimals")
    func comparesVersions() throws {
        let sorted = try ["0.9", "1.5", "1.6", "1.10", "1.11", "2.0"].map { try #require(Self.version($0)) }
        #expect(sorted.shuffled().sorted() == sorted)
        #expect(sorted.map(\.text) == ["0.9", "1.5", "1.6", "1.10", "1.11", "2.0"])
    }
}
