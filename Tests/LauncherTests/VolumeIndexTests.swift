#if os(Linux)
import Shared
import Testing

@testable import Launcher

@Suite("The launcher remembers the volume of a run whose pod is forgotten") struct VolumeIndexTests {
    private let test: TestWorld
    private var provider: LocalProvider { LocalProvider(home: test.home, agent: "unused", environment: [:]) }
    private let run: RunID

    init() throws {
        test = try TestWorld()
        run = try #require(RunID("far"))
    }

    @Test("a run on a volume of its own is found without its pod") func found() async throws {
        #expect(try await provider.runs() == [:])
        try provider.remember(run, at: .folder("\(test.home)/elsewhere"))
        #expect(try await provider.runs() == [run: .folder("\(test.home)/elsewhere")])
    }

    @Test("a run that went back to the default volume is forgotten") func forgotten() async throws {
        try provider.remember(run, at: .folder("/elsewhere"))
        try provider.remember(run, at: .folder("\(test.home)/volume"))
        #expect(try await provider.runs() == [:])
    }

    @Test("a damaged entry is left out") func damaged() async throws {
        try provider.remember(run, at: .folder("/elsewhere"))
        try File.write(Array("{".utf8), over: "\(test.home)/volumes/far.json")
        #expect(try await provider.runs() == [:])
    }
}
#endif
