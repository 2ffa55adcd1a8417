import Shared
import TestSupport
import Testing

@testable import Launcher

/// The first config that `launch init` writes.
@Suite struct ProjectGuessTests {
    private func guess(_ files: [String: String]) throws -> ProjectGuess {
        let folder = try TemporaryFolder("My Project")
        for (name, text) in files {
            let path = "\(folder.path)/\(name)"
            try File.makeFolders(path.parentFolder)
            try File.write(Array(text.utf8), over: path)
        }
        return ProjectGuess(folder: folder.path)
    }

    @Test("the script that trains is found with its option to resume and its folder of checkpoints")
    func script() throws {
        let guess = try guess([
            "requirements.txt": "torch\n", "utils.py": "def f(): pass\n", "evaluate.py": "x = 'epoch'\n",
            "train.py": """
            parser.add_argument("--resume", default=None)
            parser.add_argument("--output_dir", default="./runs/out")
            loss.backward()
            torch.save(model, args.output_dir)
            """,
        ])
        #expect(guess.script == "train.py" && guess.resumeOption == "--resume" && guess.checkpoints == "runs/out")
        #expect(guess.requirements == ["requirements.txt"])
    }

    @Test("a folder that a saving line names is the folder of checkpoints")
    func savingLine() throws {
        let guess = try guess(["src/main.py": "loss.backward()\ntorch.save(m, f\"checkpoints/checkpoint-{n}\")\n"])
        #expect(guess.script == "src/main.py" && guess.resumeOption == nil && guess.checkpoints == "checkpoints")
    }

    @Test("a folder outside of the project is no folder of checkpoints")
    func outside() throws {
        #expect(try guess(["train.py": "torch.save(m, '/data/checkpoints/x')\n"]).checkpoints == nil)
        #expect(try guess(["train.py": "torch.save(m, '../output/x')\n"]).checkpoints == nil)
    }

    @Test("a draft is a valid config for each provider, with and without an account", arguments: ProviderName.allCases)
    func draft(_ provider: ProviderName) throws {
        let script = "p.add_argument('--resume')\nloss.backward()\ntorch.save(m, 'checkpoints/checkpoint-1')\n"
        for guess in [try guess([:]), try guess(["train.py": script, "requirements.txt": ""])] {
            var draft = ConfigDraft(guess: guess, provider: provider)
            let plain = try Config.reading(draft.text)
            #expect(plain.provider == provider && plain.run == RunID(guess.run))
            draft.kinds = [
                GPUKind(name: "L40S", memory: 48, cloud: "secure", price: 1.09, stock: "high", datacenters: ["EU-RO-1"])
            ]
            draft.volumes = [StoredVolume(id: "v1", name: "first", size: 50, datacenter: "EU-RO-1", price: 3.5)]
            let rented = try Config.reading(draft.text)
            #expect(provider == .local || rented.resources.gpus == ["L40S"])
        }
    }
}
