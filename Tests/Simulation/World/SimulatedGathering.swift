import Handover

/// A supervisor that begins, until it knows the workers of one that has died: it asks on the socket on which that took
/// commands, as `Inheritance` does in the program.
final class SimulatedGathering {
    private unowned let crew: Crew
    let process: Int
    private let writer = FrameWriter(bound: FrameReader.longest)
    private var inheritance = SimulatedInheritance()
    private var link: LocalEnd?
    private var reader = FrameReader(bound: FrameReader.longest)
    private var passed: [KernelObject] = []
    /// How often something has come, or a worker was asked.
    private var signs = 0
    private var isOver = false

    init(_ crew: Crew, process: Int) {
        self.crew = crew
        self.process = process
    }

    /// Ends the process before it has begun to supervise.
    func end() {
        isOver = true
        letGo()
        inheritance.drop(crew.kernel)
    }

    private func letGo() {
        link?.notify = nil
        link?.close()
        link = nil
        for object in passed { crew.kernel.release(object) }
        passed = []
    }

    /// Asks another worker. Each connection reaches one that has no supervisor.
    func ask() {
        guard !isOver else { return }
        guard let link = crew.control?.connect(),
            let question = writer.frame(ControlMessage.takeOver(processID: UInt32(process)))
        else {
            begin()
            return
        }
        self.link = link
        reader = FrameReader(bound: FrameReader.longest)
        link.notify = { [weak self] in self?.stir() }
        link.transmit(question)
        wait()
    }

    private func wait() {
        signs += 1
        let seen = signs
        crew.kernel.after(Self.patience) { [weak self] in
            guard let self, !isOver, link != nil, signs == seen else { return }
            answered(.silent)
        }
    }

    private func stir() {
        crew.kernel.after(crew.chance.time(.microseconds(1)...(.milliseconds(5)))) { [weak self] in self?.read() }
    }

    private func read() {
        guard !isOver, let link else { return }
        let came = link.readAll()
        guard !came.bytes.isEmpty || link.isBroken else { return }
        passed += came.passed
        reader.receive(came.bytes.span)
        do {
            while !inheritance.legacy.isComplete, let frame = try reader.next() {
                let object = frame.carriesDescriptor && !passed.isEmpty ? passed.removeFirst() : nil
                let isKept = inheritance.take(try Bequest(frame), object)
                if let object, !isKept { crew.kernel.release(object) }
            }
        } catch {
            crew.world.judge.fail("a worker answers nonsense to its next supervisor: \(error)")
        }
        if inheritance.legacy.isComplete {
            answered(.complete)
        } else if link.isBroken {
            answered(.broken)
        } else {
            wait()
        }
    }

    private func answered(_ answer: Legacy.Answer) {
        if answer == .complete, let tag = inheritance.legacy.answering, let link {
            link.notify = nil
            inheritance.links[tag] = (link, reader)
            self.link = nil
        }
        letGo()
        switch inheritance.legacy.end(answer) {
        case .ask: ask()
        case .finish: begin()
        case .fail:
            end()
            crew.world.tell("a supervisor does not begin: nobody answers it")
            crew.begins()
        }
    }

    private func begin() {
        isOver = true
        crew.begins(with: inheritance, process: process)
    }

    /// How long a worker may take to answer.
    private static let patience = Duration.seconds(3)
}
