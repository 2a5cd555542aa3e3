import CLinux
import Glibc

/// Plays scripts on the model and on the real kernel side by side, and judges whether the model may do what the real
/// kernel did.
///
/// Where the model has a choice (how much a buffer takes, when a refused attempt to connect is repeated), it is told to
/// choose as the real kernel has, and only whether it had this choice is judged.
final class KernelComparison {
    private let kernel: Kernel
    private let real: ScriptMachine
    private let model: ScriptMachine
    private var log: [String] = []
    /// Whether buffers were set small.
    private var hasSmallBuffers = false

    private init() {
        kernel = Kernel(seed: 1)
        kernel.loopback = LinkKind(delay: .zero ... .zero, buffer: 0, workerBuffer: 0)
        Kernel.current = kernel
        // A signal that nobody has read is still pending.
        var mask = ScriptMachine.signalMask
        var none = timespec()
        while sigtimedwait(&mask, nil, &none) > 0 {}
        real = ScriptMachine(isModel: false)
        model = ScriptMachine(isModel: true)
    }

    /// The difference, with the results of every step; nil when there is none.
    static func play(_ script: KernelScript) -> String? {
        let comparison = KernelComparison()
        defer {
            comparison.real.closeAll()
            comparison.kernel.end()
            Kernel.current = nil
        }
        for (number, step) in script.steps.enumerated() {
            if let difference = comparison.play(step, number) ?? comparison.settle() {
                return (comparison.log + [difference]).joined(separator: "\n")
            }
        }
        return nil
    }

    /// Plays the scripts of all seeds; returns the exit code of the program.
    static func play(seeds: Range<Int>) -> Int32 {
        var mask = ScriptMachine.signalMask
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        let begun = seconds()
        var steps = 0
        var unsteady = 0
        for seed in seeds {
            let script = KernelScript(seed: seed)
            steps += script.steps.count
            guard play(script) != nil else { continue }
            // A difference that does not come again was a race.
            guard let difference = play(script) else {
                unsteady += 1
                continue
            }
            let smallest = shrink(script, until: seconds() + 60)
            say("script \(seed): the kernel does what the model does not allow\n\(play(smallest) ?? difference)")
            return 1
        }
        say(
            "\(seeds.count) scripts from seed \(seeds.lowerBound), \(steps) calls of both kernels in "
                + "\(Int(seconds() - begun)) s: the model allows all that the real one did"
                + (unsteady > 0 ? ", of \(unsteady) at the second try" : ""))
        return 0
    }

    private static func shrink(_ script: KernelScript, until deadline: Double) -> KernelScript {
        var smallest = script
        var width = smallest.steps.count / 2
        while width > 0 {
            var start = 0
            while start < smallest.steps.count, seconds() < deadline {
                var candidate = smallest
                candidate.steps.removeSubrange(start..<min(start + width, candidate.steps.count))
                if play(candidate) != nil { smallest = candidate } else { start += width }
            }
            width /= 2
        }
        return smallest
    }

    // MARK: A step

    private func end(_ slot: Int) -> SocketEnd? { kernel.object(model.descriptors[slot]) as? SocketEnd }

    /// Whether a step does something that is not compared.
    private func isLeftOut(_ step: Plan) -> Bool {
        let object = kernel.object(model.descriptors[step["slot"]])
        switch step.kind {
        case "socket", "null": return object != nil
        // The model has one descriptor for signals.
        case "signals": return object != nil || kernel.signals.descriptor >= 0
        case "raise", "wait": return false
        case "send":
            guard let end = end(step["slot"]), isWaiting(end.peer) else { return object == nil }
            // Nobody can ask how much has arrived at an end that waits to be accepted: it has to be all.
            return hasSmallBuffers || held(by: end) + step["size"] > 20_000
        case "read": return !(object is Signals)
        case "accept":
            return object == nil || model.descriptors[step["into"]] >= 0
        case "connect":
            guard let door = object as? Door, door.port == 0, !door.isListening, step["to"] != step["slot"] else {
                return true
            }
            // Nobody knows which of two that wait for room comes first.
            return (0..<KernelScript.slots).contains { end($0)?.state == .connecting }
        case "shutdown":
            // A socket that is shut down before it is connected stays so afterwards; the worker does not do that.
            if let door = object as? Door { return !door.isListening }
            return object == nil || end(step["slot"])?.state == .connecting
        case "bind": return !(object is Door)
        case "listen":
            return !(object is Door)
        default: return object == nil
        }
    }

    private func play(_ step: Plan, _ number: Int) -> String? {
        guard !isLeftOut(step) else { return nil }
        if step.kind == "sndbuf" || step.kind == "rcvbuf" { hasSmallBuffers = true }
        let deadline = seconds() + 0.3
        while true {
            let theirs = real.play(step, number: number)
            choose(step, theirs)
            let ours = model.play(step, number: number, limit: theirs.value > 0 ? theirs.value : .max)
            kernel.pass(.zero)
            let difference = difference(step, theirs, ours)
            // An acknowledgement, or the last bytes, may take time; a step that only asks can ask again.
            if difference == nil || !["wait", "unacked", "unread"].contains(step.kind) || seconds() > deadline {
                log.append("\(step)\n    real \(theirs), model \(ours)")
                return difference
            }
            usleep(2_000)
            _ = follow()
        }
    }

    private func difference(
        _ step: Plan, _ theirs: ScriptMachine.Result, _ ours: ScriptMachine.Result
    ) -> String? {
        let end = end(step["slot"])
        var isAllowed = theirs.value == ours.value && theirs.bytes == ours.bytes
        switch step.kind {
        case "send" where end?.state == .connected && theirs.value != step["size"]:
            let isBounded = theirs.value > 0 || theirs.value == -Int(EAGAIN)
            if let end, isBounded, held(by: end) < leastBuffered {
                return "    it takes no more with \(held(by: end)) bytes in its buffers"
            }
        case "wait":
            isAllowed =
                theirs.value == min(ours.value, max(step["count"], 1))
                && theirs.events.allSatisfy(ours.events.contains)
        // How much was acknowledged before a reset came depends on a race.
        case "unacked" where end?.state == .broken: isAllowed = theirs.value >= ours.value
        default: break
        }
        return isAllowed ? nil : "    they differ"
    }

    /// Makes the model choose what the real kernel chose, where it may.
    private func choose(_ step: Plan, _ theirs: ScriptMachine.Result) {
        guard let end = end(step["slot"]) else { return }
        switch step.kind {
        case "send":
            end.outbox.sendCapacity = theirs.value == -Int(EAGAIN) ? end.outbox.underway : Self.plenty
            end.outbox.receiveCapacity = isWaiting(end.peer) ? Self.plenty : end.outbox.unread
        case "recv":
            if theirs.value > end.inbox.unread { arrive(theirs.value, at: end) }
            // How much arrives next is decided when it arrives.
            end.inbox.receiveCapacity = 0
        default: break
        }
    }

    /// Lets bytes arrive until `count` are to be read.
    private func arrive(_ count: Int, at end: SocketEnd) {
        end.inbox.receiveCapacity = count
        kernel.expect(end)
        kernel.pass(.zero)
    }

    private func isWaiting(_ end: SocketEnd?) -> Bool { end.map { !$0.isClosed && $0.descriptor < 0 } ?? false }

    /// The bytes that this end has sent and the other has not read.
    private func held(by end: SocketEnd) -> Int { end.outbox.underway + end.outbox.unread }

    /// A kernel that takes less has too little room, whatever its buffers are.
    private var leastBuffered: Int { hasSmallBuffers ? 500 : 30_000 }

    private static let plenty = 1 << 40

    // MARK: At rest

    /// Waits until both kernels are in the same state; returns the difference when they do not get there.
    private func settle() -> String? {
        let deadline = seconds() + 3
        var pause: UInt32 = 20
        while true {
            guard let difference = follow() else { return nil }
            guard seconds() < deadline else { return "    \(difference)" }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
    }

    private func follow() -> String? {
        for slot in 0..<KernelScript.slots {
            guard let object = kernel.object(model.descriptors[slot]) else { continue }
            if object is Nothing { continue }
            let readiness = real.readiness(slot)
            if let end = object as? SocketEnd {
                follow(end, slot, readiness)
                let unread = real.unread(slot)
                if unread != end.inbox.unread {
                    return "slot \(slot) has \(unread) bytes to read, in the model \(end.inbox.unread)"
                }
                if end.state == .connected, end.inbox.underway > 0, unread < leastBuffered {
                    return "slot \(slot) gets no more than \(unread) bytes"
                }
            }
            if readiness != object.events {
                return "slot \(slot) is \(names(of: readiness)), in the model \(names(of: object.events))"
            }
        }
        return nil
    }

    private func follow(_ end: SocketEnd, _ slot: Int, _ readiness: UInt32) {
        // The model repeats an attempt to connect when the real kernel does.
        var patience = 130
        while end.state == .connecting, readiness != 0, patience > 0 {
            kernel.pass(.seconds(1))
            patience -= 1
        }
        let unread = real.unread(slot)
        if unread > end.inbox.unread {
            arrive(unread, at: end)
        }
        let isWritable = readiness & EPOLLOUT.rawValue != 0
        if end.state == .connected, end.outbox.underway > 0, end.outbox.isWritable != isWritable {
            end.outbox.sendCapacity = isWritable ? Self.plenty : end.outbox.underway
            end.changed()
        }
    }
}
