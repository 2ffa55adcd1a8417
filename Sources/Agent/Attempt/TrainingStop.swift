internal import FoundationEssentials
internal import Glibc
internal import Shared
internal import Synchronization

/// The end of a training that does not end by itself: what is done to it is on record, and who waits for a patient one is told.
extension AttemptRunner {
    /// `asked` is when it was asked for; nil where it is not to be on record.
    func tearDown(_ teardown: Teardown, asked: ContinuousClock.Instant?) {
        guard let asked else {
            return supervisor.tearDown(teardown, began: { countDown(teardown) }, note: { _, _ in })
        }
        let (isFirst, origin) = prepared.withLock { prepared in
            let isFirst = prepared.asked == nil
            let origin = prepared.asked ?? (asked, Date() - asked.duration(to: .now).inSeconds)
            prepared.asked = origin
            return (isFirst, origin)
        }
        if isFirst {
            work.journal.note { record in
                record.death = record.death ?? Death()
                record.death?.teardown = TeardownReport(
                    asked: origin.date, startedAfter: origin.time.duration(to: .now).inSeconds)
            }
            Task { await mark(since: origin.time) }
        }
        supervisor.tearDown(teardown, began: { countDown(teardown) }) { [work] step, processes in
            let signal = TeardownReport.Signal(
                after: origin.time.duration(to: .now).inSeconds, number: step.signal, target: step.target,
                processes: processes)
            // A step may be the last thing that this agent does.
            work.journal.change { $0.death?.teardown?.signals.append(signal) }
            if teardown.isPatient && step.target == .tree {
                work.log.say(.signalled(step.signal))
            }
        }
    }

    private func mark(since origin: ContinuousClock.Instant) async {
        guard await work.journal.durable(within: .seconds(30)) else { return }
        work.journal.note { $0.death?.teardown?.recordedAfter = origin.duration(to: .now).inSeconds }
    }

    /// Says what a patient teardown gives the training, and from time to time what is left of it.
    private func countDown(_ teardown: Teardown) {
        let patience = Int(teardown.patience.inSeconds)
        if teardown.isPatient { work.log.say(.stopping(timeout: patience)) }
        let countdown = teardown.isPatient ? Task { await tellProgress(of: patience) } : nil
        let former = prepared.withLock { prepared in
            defer { prepared.countdown = countdown }
            return prepared.countdown
        }
        former?.cancel()
    }

    /// `patience` is in seconds.
    private func tellProgress(of patience: Int) async {
        let start = ContinuousClock.now
        while true {
            do { try await Task.sleep(for: .seconds(min(max(patience / 4, 1), 30))) } catch { return }
            let spent = Int(start.duration(to: .now).inSeconds)
            guard supervisor.leader != nil, spent < patience else { return }
            work.log.say(.stillStopping(spent, timeout: patience))
        }
    }

    /// Looks at a training that stands still without touching it.
    func captureStall() async {
        let mask = environment.mask
        // To read the command line of a process may take as long as its page fault from a dead volume does.
        let looks = try? await DedicatedThread.run(within: .seconds(5)) { ProcessScan.lines(at: ProcessTree.running) }
        var lines = (looks ?? ["they could not be looked at within 5 s"]).map(mask.masking)
        lines += await PySpy.lines(
            children: supervisor.children, environment: prepared.withLock(\.variables), mask: mask)
        let found = lines
        work.journal.change { record in
            record.death = record.death ?? Death()
            record.death?.stall = found
        }
        for line in [LogLine.stalled] + lines.map(LogLine.captured) { work.log.say(line) }
    }
}
