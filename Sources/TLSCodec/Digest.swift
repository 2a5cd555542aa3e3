import COpenSSL

/// The hashes that protocols need.
package enum Digest {
    /// The SHA-1 of `bytes` as forty lower-case hexadecimal digits (XEP-0124 §15.3, `K-01`).
    ///
    /// C API: SHA1(3).
    package static func sha1(of bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: sha1Bytes(of: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The SHA-1 of `bytes` as twenty bytes (RFC 6455 §4.2.2, `W-16`).
    ///
    /// C API: SHA1(3).
    package static func sha1Bytes(of bytes: [UInt8]) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: 20)
        unsafe hash.withUnsafeMutableBufferPointer { target in
            unsafe bytes.withUnsafeBufferPointer { source in
                _ = unsafe SHA1(source.baseAddress, source.count, target.baseAddress)
            }
        }
        return hash
    }
}
