import Shared
import TestSupport
import Testing

@testable import Agent

/// The files that the opening of an attempt leaves on the volume.
@Suite struct OpenAttemptTests {
    private let run: TestRun

    init() throws { run = try TestRun() }

    private func open(_ claim: Claim, _ spec: RunSpec? = nil) async throws -> OpenAttempt {
        let work = try OpenAttempt.open(claim, spec: spec ?? run.spec(), run: run.folders, volume: VolumeWriter())
        await work.log.sync()
        return work
    }

    @Test("an opened attempt has its spec and its first log line on the volume")
    func opens() async throws {
        let spec = run.spec(launch: "L7")
        let work = try await open(try run.attempt(1, pod: "abc"), spec)
        #expect(try run.folders.spec() == spec)
        #expect(try run.log().text == "====== 2027-01-15 08:00:00 attempt 1 pod abc ======\n")
        #expect(work.status.attempt.spec == (try spec.fingerprint))
        #expect(work.status.attempt.state == .claiming)
    }

    @Test("lines about the user's files are in the log and in the record, others in the log only")
    func notes() async throws {
        let work = try await open(try run.attempt(1))
        work.log.say(.startingFresh)
        work.log.say(.resultReplaced("a", movedTo: "b"))
        for number in 1...60 { work.log.say(.pruned("\(number)\(String(repeating: "x", count: 400))")) }
        await work.log.sync()
        #expect(await work.journal.durable(within: .seconds(10)))
        let notes = try #require(try run.folders.usableRecord(1)?.notes)
        #expect(notes.count == 50 && notes.last?.hasPrefix("PRUNED: 60x") == true)
        #expect(notes.allSatisfy { $0.count <= 300 })
        #expect(try run.log().text.contains("\nREPLACED: a: "))
        #expect(work.status.attempt.notes == notes)
    }

    @Test("the first log line begins a new line after an unfinished one")
    func headerAfterOpenLine() async throws {
        try run.attempt(1)
        try run.log("50%|████\r", from: 0, attempt: 1)
        let offset = try run.log().count
        _ = try await open(try run.attempt(2, logStart: offset))
        #expect(try run.log().text.hasPrefix("50%|████\r\n====== "))
    }

    @Test("no empty line comes between a whole line and the first log line")
    func headerAfterWholeLine() async throws {
        try run.attempt(1)
        try run.log("a line\n", from: 0, attempt: 1)
        _ = try await open(try run.attempt(2, logStart: 7))
        #expect(try run.log().text.hasPrefix("a line\n====== "))
    }

    @Test("current.log leads to the log of the newest attempt")
    func currentLog() async throws {
        let link = run.volume.currentLog
        _ = try await open(try run.attempt(1))
        let first = try File.read(link)
        #expect(first == (try run.log()))
        _ = try await open(try run.attempt(2, logStart: first.count))
        #expect(first + (try File.read(link)) == (try run.log()))
        #expect(try File.list(link.parentFolder) == ["current.log"])
    }

    @Test("a user's file named current.log is moved aside")
    func usersFile() async throws {
        let link = run.volume.currentLog
        try File.makeFolders(link.parentFolder)
        try File.write(Array("the user's".utf8), over: link)
        _ = try await open(try run.attempt(1))
        #expect(File.status(link)?.isLink == true)
        let names = try File.list(link.parentFolder)
        #expect(names.count == 2)
        #expect(try File.read("\(link.parentFolder)/\(try #require(names.last))").text == "the user's")
    }

    @Test("an opened attempt knows all claims up to its own")
    func claims() async throws {
        try run.attempt(1)
        let claim = try run.attempt(2)
        let work = try await open(claim)
        #expect(work.claims.map(\.number) == [1, 2])
        #expect(work.claim == claim)
    }
}
