#if os(Linux)
import Foundation
import Shared
import Testing

@testable import Launcher

/// The key file of the provider `local`, and the tokens that are made from it.
@Suite struct LocalTokenTests {
    private let test: TestWorld
    private var localKey: LocalKey { LocalKey(home: test.home) }
    private var key: String { "\(test.home)/key" }

    init() throws { test = try TestWorld() }

    /// Test cases 1, 2 and 6 of RFC 4231.
    @Test(
        "an access token is the HMAC-SHA256 of the launch's id under the key",
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ])
    func hmac(key: [UInt8], launch: String, token: String) throws {
        #expect(SHA256Digest(authenticating: launch.utf8, key: key).description == token)
    }

    @Test(
        "a key that others may know, or that is none, is refused",
        arguments: [(32, 0o644), (32, 0o620), (31, 0o600), (33, 0o600), (0, 0o600)])
    func refusedKey(size: Int, mode: Int) throws {
        try File.replace(key, with: [UInt8](repeating: 1, count: size), mode: mode)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: key)
        #expect(throws: Problem.self) { try localKey.token(launch: "a") }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        if size == 32 { #expect(throws: Never.self) { try localKey.token(launch: "a") } }
    }

    @Test("a link in the place of the key is refused") func linkedKey() throws {
        try FileManager.default.createDirectory(atPath: test.home, withIntermediateDirectories: true)
        try File.replace("\(test.home)/other", with: [UInt8](repeating: 1, count: 32), mode: 0o600)
        try FileManager.default.createSymbolicLink(atPath: key, withDestinationPath: "\(test.home)/other")
        #expect(throws: Problem.self) { try localKey.token(launch: "a") }
    }

    @Test("only its user can read the key")
    func keyMode() throws {
        let token = try localKey.token(launch: "a")
        let attributes = try FileManager.default.attributesOfItem(atPath: key)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try File.read(key).count == 32)
        #expect(try localKey.token(launch: "a") == token)
        #expect(try localKey.token(launch: "b") != token)
    }

    @Test("the first access token makes the missing home")
    func missingHome() throws {
        let localKey = LocalKey(home: "\(test.home)/a/b")
        let token = try localKey.token(launch: "x")
        #expect(try localKey.token(launch: "x") == token)
        #expect(try File.list("\(test.home)/a/b") == ["key"])
    }

    /// Threads, not tasks: each caller has its own thread, and all start at once.
    @Test("callers that make the first access token at once get the same one", arguments: 1...10)
    func concurrency(round: Int) async throws {
        let callers = 10
        let localKey = localKey
        let tokens = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                nonisolated(unsafe) var tokens = [String](repeating: "", count: callers)
                let lock = NSLock()
                DispatchQueue.concurrentPerform(iterations: callers) { index in
                    let token = (try? localKey.token(launch: "x")) ?? "failed"
                    lock.withLock { tokens[index] = token }
                }
                continuation.resume(returning: tokens)
            }
        }
        #expect(Set(tokens) == [try localKey.token(launch: "x")])
        #expect(try File.list(test.home) == ["key"])
    }
}
#endif
