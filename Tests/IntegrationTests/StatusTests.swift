import Glibc
import Shared
import TestSupport
import Testing

/// `launch status` reports the true state at each moment of a run's life.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StatusTests {
    @Test("launch status reports starting, installing, training and finished, each in its time")
    func states() async throws {
        try await Site.with { site in
            try SlowPackage.write(to: site)
            try site.write(
                "agent",
                "#!/bin/sh\nif [ $# = 0 ]; then \(Self.wait("agent")); fi\nexec '\(Programs.podAgent)' \"$@\"\n",
                executable: true)
            try site.write("project/requirements.txt", SlowPackage.requirement)
            try site.config(
                """
                run: life
                code: {path: .}
                dependencies: {requirements: [requirements.txt]}
                command: echo started; \(Self.wait("train"))
                """)
            let run = try site.launch("run", environment: ["POD_AGENT": "\(site.root)/agent"])
            let pods = "\(site.home)/pods"
            try await eventuallyTrue("a pod") {
                ((try? File.list(pods)) ?? []).contains { File.status("\(pods)/\($0)/pod.json") != nil }
            }
            let starting = try await site.reaches("starting", "life")
            #expect(starting.isLive && starting.attempts.isEmpty && starting.pod?.isRunning == true)
            try site.open("go-agent")
            #expect(try await site.reaches("installing", "life").attempts.first?.state == .installing)
            try await SlowPackage.begins(on: site)
            try site.open("go-build")
            let training = try await site.reaches("training", "life")
            #expect(training.isLive && training.attempts.first?.outcome == nil)
            try await run.prints("started\n")
            try site.open("go-train")
            try await run.check()
            let finished = try await site.status("life")
            #expect(finished.state == "finished" && !finished.isLive)
            #expect(finished.attempts.first?.outcome?.exit == .code(0))
            #expect(finished.logEnd == run.output.count)
            let phases = finished.attempts.first?.phases.map(\.state)
            #expect(phases == AttemptState.allCases.filter { $0 != .waiting })
        }
    }

    @Test("launch status reports whether a run was interrupted, lost or stopped")
    func ends() async throws {
        try await Site.with { site in
            try site.config("run: ends\ncommand: echo started; exec sleep 600\n")
            for (state, code) in [("interrupted", 143), ("lost", 70), ("stopped", 130)] as [(String, Int32)] {
                let run = try site.launch("run")
                try await run.prints("started\n")
                try await site.reaches("training", "ends")
                switch state {
                case "interrupted": kill(try await site.pod(of: "ends")[0], SIGTERM)
                case "lost": try await site.cutPower("ends")
                default: try await site.launch("stop", "ends", "--now").check()
                }
                #expect(try await run.end() == code, "\(state)")
                let status = try await site.status("ends")
                #expect(status.state == state)
                #expect(!status.isLive)
            }
            #expect(try await site.status("ends").attempts.count == 3)
        }
    }

    private static func wait(_ name: String) -> String { "until [ -e \"$SITE/go-\(name)\" ]; do sleep 0.02; done" }
}

/// A package in the project whose build waits until the test allows it.
enum SlowPackage {
    static let requirement = "./slow\n"

    static func write(to site: Site) throws {
        try site.write(
            "project/slow/pyproject.toml",
            "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n")
        try site.write(
            "project/slow/backend.py",
            """
            import os, time, zipfile

            def build_wheel(folder, config_settings=None, metadata_directory=None):
                site = os.environ["SITE"]
                open(site + "/builds", "w").close()
                while not os.path.exists(site + "/go-build"): time.sleep(0.02)
                name = "slow-1.0-py3-none-any.whl"
                with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
                    info = "slow-1.0.dist-info/"
                    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1.0\\n")
                    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                    wheel.writestr(info + "RECORD", "")
                return name
            """)
    }

    /// Returns once the build has begun and waits.
    static func begins(on site: Site) async throws {
        try await eventuallyTrue("the build of a package") { site.exists("builds") }
    }
}
