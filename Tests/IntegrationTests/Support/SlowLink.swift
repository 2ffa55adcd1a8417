import Glibc
import Shared
import TestSupport
import Testing

/// A network namespace that reaches an agent of this machine over a link with delay, jitter and loss.
struct SlowLink {
    /// The address of the agent inside the namespace.
    static let address = "http://127.0.0.1:8000"

    private let relay: Running

    static let isAvailable = geteuid() == 0 && Namespaces.works(probe)
    static let reason: Comment = "a link that loses packets needs root, network namespaces and the kernel's NFQUEUE"
    // The test is not skipped but fails if the tools are missing.
    private static let probe = [
        "unshare", "--net", "sh", "-c",
        "! command -v iptables || iptables -A INPUT -p tcp -j NFQUEUE --queue-num 7",
    ]

    /// The words before a program that start it inside the namespace.
    var enter: [String] { ["nsenter", "--net=/proc/\(relay.pid)/ns/net"] }

    /// Runs `body` with a link to the address in the file `target`, which is read for each connection. `loss` is the
    /// probability with which a packet is lost.
    static func with(
        at site: Site, to target: String, delay milliseconds: Int, loss: Double, _ body: (SlowLink) async throws -> Void
    ) async throws {
        let ready = "\(site.root)/link"
        let relay = try site.start([
            "/usr/bin/python3", Programs.bed("link.py"), target, ready, "\(milliseconds)", "\(loss)",
        ])
        try await eventuallyTrue("a link: \(relay.errors)") { try File.exists(ready) }
        try await body(SlowLink(relay: relay))
        relay.send(SIGKILL)
        try await relay.end()
    }
}
