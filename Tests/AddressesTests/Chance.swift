import Glibc

@testable import Addresses

/// SplitMix64: small, and the same on every machine, so that a printed seed repeats its case.
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// The first seed of a property test: `HOLDFAST_SEED`, or a random one. It is printed, so that a failure can be
    /// repeated.
    static func firstSeed(_ property: String) -> UInt64 {
        let given = getenv("HOLDFAST_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0...1_000_000_000)
        print("\(property): from HOLDFAST_SEED=\(seed)")
        return seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Range<Int>) -> [UInt8] {
        (0..<Int.random(in: count, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// An address with many groups of zeros and of ones, where the rules for texts and prefixes have their edge cases.
    mutating func address() -> IPAddress {
        if Bool.random(using: &self) { return .v4(UInt32(truncatingIfNeeded: number(4))) }
        switch Int.random(in: 0..<4, using: &self) {
        case 0: return .v6(0xFFFF << 32 | (number(4) & 0xFFFF_FFFF))
        case 1: return .v6(number(16))
        default:
            let groups = (0..<8).map { _ in Bool.random(using: &self) ? 0 : number(2) & 0xFFFF }
            return .v6(groups.reduce(0) { $0 << 16 | $1 })
        }
    }

    mutating func endpoint() -> Endpoint {
        Endpoint(address: address(), port: UInt16(truncatingIfNeeded: next()))
    }

    private mutating func number(_ width: Int) -> UInt128 {
        (0..<width).reduce(0) { number, _ in
            let byte: UInt8 =
                switch Int.random(in: 0..<3, using: &self) {
                case 0: 0
                case 1: 255
                default: UInt8.random(in: 0...255, using: &self)
                }
            return number << 8 | UInt128(byte)
        }
    }

    /// Changes, removes, doubles or inserts a byte.
    mutating func mutate(_ bytes: inout [UInt8], telling: [UInt8]) {
        guard let index = bytes.indices.randomElement(using: &self) else { return }
        let byte = telling.randomElement(using: &self) ?? 0
        switch Int.random(in: 0..<4, using: &self) {
        case 0: bytes[index] = byte
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(bytes[index], at: index)
        default: bytes.insert(byte, at: index)
        }
    }
}
