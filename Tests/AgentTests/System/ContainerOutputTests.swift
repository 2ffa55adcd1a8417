import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct ContainerOutputTests {
    private func read(_ pipe: Pipe, until end: String) -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !text.text.hasSuffix(end) {
            let count = Glibc.read(pipe.readEnd, &buffer, buffer.count)
            if count <= 0 { break }
            text += buffer[..<count]
        }
        return text.text
    }

    @Test("the container output gets every line in order")
    func inOrder() async throws {
        let pipe = try Pipe()
        defer { for end in [pipe.readEnd, pipe.writeEnd] { close(end) } }
        let copy = try #require(ContainerOutput(file: pipe.writeEnd))
        for number in 0..<1000 { copy.append(Array("line \(number)\n".utf8)[...]) }
        #expect(read(pipe, until: "line 999\n") == (0..<1000).map { "line \($0)\n" }.joined())
        await copy.flush(within: .seconds(10))
    }

    @Test("a container output that is not read blocks nothing, and the bytes left out are counted exactly")
    func stalledReader() async throws {
        let pipe = try Pipe()
        defer { for end in [pipe.readEnd, pipe.writeEnd] { close(end) } }
        let copy = try #require(ContainerOutput(file: pipe.writeEnd))
        let line = Array(repeating: UInt8(ascii: "x"), count: 1023) + [UInt8(ascii: "\n")]
        let count = 10_000
        for _ in 0..<count { copy.append(line[...]) }
        let text = Task.detached { self.read(pipe, until: "the end\n") }
        // The reader has taken all that was kept, so there is room again.
        await copy.flush(within: .seconds(60))
        copy.append(Array("the end\n".utf8)[...])
        let lines = await text.value.split(separator: "\n")
        let kept = lines.count { $0.hasPrefix("x") }
        #expect(kept >= ContainerOutput.capacity / 1024 && kept < count)
        let counted = lines.filter { $0.hasPrefix("(") }.compactMap { Int($0.dropFirst().prefix { $0.isNumber }) }
        #expect(counted.reduce(0, +) == (count - kept) * 1024)
        #expect(lines.last == "the end")
    }

    @Test("a container output that is a regular file gets no copy of the log")
    func regularFile() throws {
        let folder = try TemporaryFolder("console")
        let file = open("\(folder.path)/console", O_WRONLY | O_CREAT, 0o600)
        defer { close(file) }
        #expect(ContainerOutput.forLog(file: file) == nil)
    }
}
