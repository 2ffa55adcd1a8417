import Foundation
import Shared
import Testing

@testable import Launcher

/// Where `launch` keeps its own files, and where it prints.
@Suite struct WorldTests {
    @Test(
        "launch keeps its files in LAUNCH_HOME, else under XDG_STATE_HOME, else under HOME",
        arguments: [
            (["LAUNCH_HOME": "/l", "XDG_STATE_HOME": "/s", "HOME": "/h"], "/l"),
            (["LAUNCH_HOME": "", "XDG_STATE_HOME": "/s", "HOME": "/h"], "/s/launch"),
            (["XDG_STATE_HOME": "", "HOME": "/h"], "/h/.local/state/launch"),
            // The XDG specification says to ignore a relative path.
            (["XDG_STATE_HOME": "state", "HOME": "/h"], "/h/.local/state/launch"),
            (["HOME": "/h"], "/h/.local/state/launch"),
        ])
    func home(environment: [String: String], expected: String) throws {
        #expect(try LaunchHome.path(environment) == expected)
    }

    @Test("a relative LAUNCH_HOME is resolved against the working folder")
    func relativeHome() throws {
        let folder = FileManager.default.currentDirectoryPath
        #expect(try LaunchHome.path(["LAUNCH_HOME": "here"]) == "\(folder)/here")
        #expect(try LaunchHome.path(["LAUNCH_HOME": "./here"]) == "\(folder)/here")
        #expect(try LaunchHome.path(["LAUNCH_HOME": "."]) == folder)
    }

    @Test(
        "launch fails with a hint if neither LAUNCH_HOME nor HOME is set",
        arguments: [[:], ["HOME": ""], ["HOME": "relative"], ["LAUNCH_HOME": ""]])
    func noHome(environment: [String: String]) throws {
        let problem = try #require(throws: Problem.self) { try LaunchHome.path(environment) }
        #expect(
            problem.description == """
                neither LAUNCH_HOME nor HOME is set
                hint: set LAUNCH_HOME to a folder for pods and volumes
                """)
    }

    @Test("the default volume lies in launch's home unless the config names one")
    func defaultVolume() {
        let provider = LocalProvider(home: "/home/launch", agent: "unused", environment: [:])
        #expect(provider.place(for: Resources()) == .folder("/home/launch/volume"))
        var resources = Resources()
        resources.volume = .folder("/data")
        #expect(provider.place(for: resources) == .folder("/data"))
    }

    @Test("launch prints results to standard output, and notes and errors to standard error")
    func streams() {
        let recording = RecordingConsole()
        let console = recording.console
        console.print("result")
        console.output([0xff, 0x0d])
        console.note("a note")
        console.complain(Problem("it is \"x\"", hint: "try y"))
        #expect(recording.bytes == Array("result\n".utf8) + [0xff, 0x0d])
        #expect(recording.errors == "a note\nlaunch: it is \"x\"\nhint: try y\n")
    }
}
