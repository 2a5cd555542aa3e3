import Glibc
import Reactor
import Testing

/// Files that are read as a whole.
@Suite struct FileContentsTests {
    /// A file that lives as long as this value.
    private final class File {
        let path: String

        init(_ bytes: [UInt8]) throws {
            var name = Array("/tmp/holdfast-contents-XXXXXX".utf8CString)
            let descriptor = mkstemp(&name)
            path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let isWritten = write(descriptor, bytes, bytes.count) == bytes.count
            close(descriptor)
            try #require(isWritten)
        }

        deinit { unlink(path) }
    }

    private func failure(_ path: String) -> SystemError? {
        do throws(SystemError) {
            _ = try FileContents.bytes(of: path, atMost: 100)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func `all bytes are read, and one more than allowed are too many`(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let file = try File(bytes)
        #expect(try FileContents.bytes(of: file.path, atMost: count) == bytes)
        #expect(try FileContents.bytes(of: file.path, atMost: .max) == bytes)
        if count > 0 { #expect(try FileContents.bytes(of: file.path, atMost: count - 1) == nil) }
    }

    @Test func `a file without an end is too long`() throws {
        #expect(try FileContents.bytes(of: "/dev/zero", atMost: 1_000_000) == nil)
    }

    @Test func `what cannot be opened or read has the kernel's reason`() throws {
        #expect(failure("/nowhere/ca.pem") == SystemError(call: "open", code: ENOENT))
        #expect(failure("/tmp") == SystemError(call: "read", code: EISDIR))
        let file = try File([1])
        #expect(failure(file.path + "/x") == SystemError(call: "open", code: ENOTDIR))
        #expect(failure("") == SystemError(call: "open", code: ENOENT))
    }

    @Test(.enabled(if: geteuid() != 0)) func `a file of others is not read`() throws {
        let file = try File([1])
        chmod(file.path, 0)
        #expect(failure(file.path) == SystemError(call: "open", code: EACCES))
    }
}
