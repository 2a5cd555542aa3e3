import CLinux
import Glibc
import Testing

@testable import Reactor

@Suite struct SharedPageTests {
    /// Another descriptor of the same memory, as another process would receive it.
    private func copy(_ page: borrowing SharedPage) -> Descriptor {
        Descriptor(owning: fcntl(page.descriptor.number, F_DUPFD_CLOEXEC, 0))
    }

    /// A descriptor of fresh memory without seals.
    private func memory(size: Int) -> Descriptor {
        let number = memfd_create("test", UInt32(holdfast_sealable))
        ftruncate(number, size)
        return Descriptor(owning: number)
    }

    private func adoptionError(_ memory: consuming Descriptor) -> SharedPage.AdoptionError? {
        do throws(SharedPage.AdoptionError) {
            _ = try SharedPage(adopting: memory, isWritable: false)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a new page has the wanted words, all of them 0`() throws {
        let page = try SharedPage(count: 700)
        #expect(page.count == 700)
        #expect(page.snapshot == [UInt64](repeating: 0, count: 700))
        #expect(fcntl(page.descriptor.number, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test(arguments: [(-5, 1), (0, 1), (1, 1), (Int.max, SharedPage.mostWords)])
    func `the number of words is kept within bounds`(_ wanted: Int, _ count: Int) throws {
        let page = try SharedPage(count: wanted)
        #expect(page.count == count)
    }

    @Test func `what one mapping writes another reads`() throws {
        let writer = try SharedPage(count: 8)
        let reader = try SharedPage(adopting: copy(writer), isWritable: false)
        writer[0] = .max
        writer[7] = 7
        #expect(reader[0] == .max)
        #expect(reader.snapshot == [.max, 0, 0, 0, 0, 0, 0, 7])
    }

    @Test func `an adopted page can be the one that writes`() throws {
        let reader = try SharedPage(count: 2)
        let writer = try SharedPage(adopting: copy(reader), isWritable: true)
        writer[1] = 5
        #expect(reader[1] == 5)
    }

    @Test func `a page outlives the one that made it`() throws {
        let memory: Descriptor
        do {
            let first = try SharedPage(count: 1)
            first[0] = 9
            memory = copy(first)
        }
        #expect(try SharedPage(adopting: memory, isWritable: false)[0] == 9)
    }

    @Test func `outside the page nothing is read and nothing written`() throws {
        let page = try SharedPage(count: 3)
        for index in [-1, 3, Int.min, Int.max] {
            page[index] = 1
            #expect(page[index] == 0)
        }
        #expect(page.snapshot == [0, 0, 0])
    }

    @Test func `a reader writes nothing`() throws {
        let writer = try SharedPage(count: 1)
        writer[0] = 4
        let reader = try SharedPage(adopting: copy(writer), isWritable: false)
        reader[0] = 5
        #expect(writer[0] == 4)
    }

    @Test func `nobody can change the size of a page`() throws {
        let page = try SharedPage(count: 4)
        for size in [0, 8, 64] {
            #expect(ftruncate(page.descriptor.number, size) == -1)
            #expect(errno == EPERM)
        }
    }

    @Test func `memory whose size can change is no page`() {
        #expect(adoptionError(memory(size: 4_096)) == .notAPage)
    }

    @Test(arguments: [0, 7, 12, 8 * (SharedPage.mostWords + 1)])
    func `memory of a wrong size is no page`(_ size: Int) {
        let sealed = memory(size: size)
        #expect(holdfast_add_seals(sealed.number, Int32(holdfast_size_seals)) == 0)
        #expect(adoptionError(sealed) == .notAPage)
    }

    @Test func `what is not memory is no page`() throws {
        let pair = try Descriptor.socketPair()
        #expect(adoptionError(pair.first) == .notAPage)
        #expect(adoptionError(Descriptor(owning: open("/dev/null", O_RDONLY))) == .notAPage)
    }
}
