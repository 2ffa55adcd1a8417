import Glibc
import HTTPClient
import NIOCore
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite("No path leads out of the volume") struct ConfinedFolderTests {
    private let files: TestFiles

    init() async throws {
        files = try await TestFiles()
        try files.write("runs/a/inner", "inside")
    }

    @Test(
        "a path that leads out is refused in every spelling",
        arguments: [
            "/../outside/secret", "/runs/../../outside/secret", "/..", "/%2e%2e/outside/secret",
            "/%2E%2E%2Foutside%2Fsecret", "/..%2foutside/secret", "/runs/%2e%2e/%2e%2e/outside/secret",
            "//etc/passwd", "/%2fetc/passwd", "/%2Fetc%2Fpasswd", "/runs//a", "/runs/a/", "/runs/./a", "/.",
            "/runs%00/a", "/runs/a%2finner", "/%", "/%2", "/%zz", "/runs/%252e%252e/%252e%252e/outside/secret",
            "/....//outside/secret", "/..;/outside/secret", "/%c0%ae%c0%ae/outside/secret", "/..%5coutside",
        ])
    func spellings(_ target: String) async throws {
        // As it is: libcurl would take the dots out.
        let response = try await files.rawGet(Endpoint.files + target)
        let status = try #require(Int(response.dropFirst(9).prefix(3)))
        #expect([400, 403, 404].contains(status), "\(response)")
        #expect(!response.contains(TestFiles.secret) && !response.contains("root:"))
    }

    @Test("what leads up or begins at the root is forbidden") func forbidden() {
        for text in ["..", "a/..", "a/%2e%2e/b", "/etc", "%2fetc", "/"] {
            let error = #expect(throws: APIError.self) { try VolumePath(percentEncoded: text) }
            #expect(error?.code == .forbidden, "\(text)")
        }
        for text in ["a//b", "a/", "a/.", ".", "a%00", "a%2fb", "%", String(repeating: "a", count: 256)] {
            let error = #expect(throws: APIError.self) { try VolumePath(percentEncoded: text) }
            #expect(error?.code == .badRequest, "\(text)")
        }
    }

    @Test(
        "a link out of the volume is refused, and one that stays inside is followed",
        arguments: [
            ("../outside/secret", false), ("../../outside/secret", false), ("/etc/passwd", false),
            ("VOLUME/../outside/secret", false), ("VOLUMEx/secret", false), ("OUTSIDE/secret", false),
            ("runs/../../outside/secret", false), ("../volume/runs/a/inner", false),
            ("runs/a/inner", true), ("VOLUME/runs/a/inner", true), ("./runs/../runs/a//inner", true),
            ("folder/inner", true), ("VOLUME/folder/../a/inner", true),
        ])
    func links(_ target: String, isInside: Bool) async throws {
        let target = target.replacing("VOLUME", with: files.volume).replacing("OUTSIDE", with: files.outside)
        try files.link("folder", to: "runs/a")
        try files.link("link", to: target)
        let response = try await files.send("GET", "/link")
        if isInside {
            #expect(response.status == 200 && response.text == "inside")
        } else {
            #expect(response.status == 403, "\(response.text)")
        }
    }

    @Test("a link out of the volume in the middle of a path is refused") func linkInTheMiddle() async throws {
        try files.link("runs/out", to: files.outside)
        try files.link("runs/up", to: "../..")
        for target in ["/runs/out", "/runs/out/secret", "/runs/up", "/runs/up/outside/secret", "/runs/out?format=tar"] {
            #expect(try await files.send("GET", target).status == 403, "\(target)")
        }
        #expect(try await files.client.entries(of: "runs").map(\.kind) == [.folder, .link, .link])
    }

    @Test("a volume that is reached through a link confines too") func linkedRoot() throws {
        let parent = files.volume.parentFolder
        try Errno.check { symlink("volume", "\(parent)/named") }
        let folder = ConfinedFolder(root: "\(parent)/named")
        for (name, target) in [("a", "\(parent)/named/runs/a"), ("b", "\(files.volume)/runs/a")] {
            try files.link(name, to: target)
            let place = try folder.open(try VolumePath(percentEncoded: "\(name)/inner"))
            #expect(place.status.size == 6)
            #expect(place.path.text == "runs/a/inner")
        }
    }

    @Test("links without an end and folders without a bound are refused") func bounds() throws {
        let folder = files.access.folder
        try files.link("self", to: "self")
        try files.link("one", to: "two/x")
        try files.link("two", to: "one/x")
        for name in ["self", "one", "two/inner"] {
            let error = try #require(throws: APIError.self) { try folder.open(try VolumePath(percentEncoded: name)) }
            #expect(error.code == .forbidden)
        }
        let deep = Array(repeating: "d", count: ConfinedFolder.maxDepth - 1).joined(separator: "/")
        try files.write("\(deep)/file", "x")
        #expect(try folder.open(try VolumePath(percentEncoded: "\(deep)/file")).status.size == 1)
        try File.makeFolders("\(files.volume)/\(deep)/d")
        let error = try #require(throws: APIError.self) { try folder.open(try VolumePath(percentEncoded: "\(deep)/d")) }
        #expect(error.code == .badRequest)
    }

    /// One thread swaps a folder with a link out, and a file with a link out, while this one reads through both.
    @Test("a link that is swapped in between check and use gains nothing") func swappedLinks() async throws {
        let swapper = try LinkSwapper(in: files)
        defer { swapper.stop() }
        let folder = files.access.folder
        let opened = try await DedicatedThread.run { () throws -> [String: Int] in
            var opened: [String: Int] = [:]
            let start = ContinuousClock.now
            while start.duration(to: .now) < .seconds(2) || opened["inside", default: 0] < 50 {
                for path in ["real/secret", "file"] {
                    let text: String
                    do {
                        let place = try folder.open(try VolumePath(percentEncoded: path))
                        text = try place.descriptor.read(at: 0, count: 100).readableBytesView.text
                    } catch let error as APIError {
                        text = error.code.rawValue
                    }
                    opened[text, default: 0] += 1
                }
                if start.duration(to: .now) > .seconds(60) { break }
            }
            return opened
        }
        #expect(Set(opened.keys).isSubset(of: ["inside", "forbidden", "not_found"]), "\(opened)")
        #expect(opened["inside", default: 0] >= 50 && opened["forbidden", default: 0] > 0, "\(opened)")
        #expect(swapper.swaps > 1000 && files.isOutsideUntouched)
    }
}

/// Swaps `real` and a link to the outside, and `file` and a link to a file there, until it is stopped.
final class LinkSwapper: Sendable {
    private let state = Monitor((swaps: 0, isOver: false))
    private let end = Promise<Void>()

    init(in files: TestFiles) throws {
        try files.write("real/secret", "inside")
        try files.link("out", to: "../outside")
        try files.write("file", "inside")
        try files.link("fileOut", to: "../outside/secret")
        let volume = files.volume
        try DedicatedThread.start { [state, end] in
            while state.read({ !$0.isOver }) {
                for (one, other) in [("real", "out"), ("file", "fileOut")] {
                    rename("\(volume)/\(one)", "\(volume)/moving")
                    rename("\(volume)/\(other)", "\(volume)/\(one)")
                    rename("\(volume)/moving", "\(volume)/\(other)")
                }
                state.update { $0.swaps += 2 }
            }
            end.fulfil(())
        }
    }

    var swaps: Int { state.read { $0.swaps } }

    func stop() { state.update { $0.isOver = true } }

    /// Returns once nothing is swapped any more.
    func ended() async {
        stop()
        await end.value
    }
}
