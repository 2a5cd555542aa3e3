import DialogueScripts
import Testing

@Suite struct SHA1Tests {
    @Test("K-01 the digests of FIPS 180-4 and of XEP-0124 §15.3 come out")
    func digests() {
        #expect(SHA1.hex(of: "") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(SHA1.hex(of: "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(SHA1.hex(of: long) == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(
            SHA1.hex(of: String(repeating: "a", count: 200)) == "e61cfffe0d9195a525fc6cf06ca2d77119c24a40")
    }

    @Test("a chain of keys is one of digests")
    func chains() {
        #expect(ChainKey.text("a1") == SHA1.hex(of: "a"))
        #expect(ChainKey.text("a3") == SHA1.hex(of: ChainKey.text("a2")))
        #expect(ChainKey.text("A2") == SHA1.hex(of: SHA1.hex(of: "A").uppercased()).uppercased())
        for literal in ["a0", "key", "ca393b51b682f61f98e7877d61146407f3d0a770", ""] {
            #expect(ChainKey.text(literal) == literal)
        }
    }

    @Test("Q-16 the keys of XEP-0025 come out")
    func base64() {
        #expect(SHA1.base64(of: "foo") == "C+7Hteo/D9vJXQ3UfzxbwnXaijM=")
        #expect(SHA1.base64(of: SHA1.base64(of: "foo")) == "6UU8CDmH3O4aHFmCqSORCn721+M=")
        #expect(ChainKey.base64("a2") == SHA1.base64(of: SHA1.base64(of: "a")))
        for literal in ["a0", "key", "C+7Hteo/D9vJXQ3UfzxbwnXaijM=", ""] {
            #expect(ChainKey.base64(literal) == literal)
        }
    }
}
