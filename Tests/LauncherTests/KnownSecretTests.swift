import Testing

@testable import Launcher

@Suite struct KnownSecretTests {
    @Test(
        "a value of .env is secret whatever its name, unless it is short, a word, a number, a path or a server",
        arguments: [
            ("GITLAB_PAT", "hunter2-hunter2", true), ("X", "hunter2-hunter2", true), ("DB", "pg://u:pass@h/db", true),
            ("HOOK", "https://hooks.example.com/T0/B1", true), ("U", "https://u:pw@example.com", true),
            ("MODEL", "resnet50-large", true), ("X", "short", false), ("USER_NAME", "postgres", false),
            ("DATA", "/mnt/data/images", false), ("PORT", "10.0.0.12", false),
            ("API", "https://api.example.com/", false),
            // The name says that these are.
            ("DB_PASS", "postgres", true), ("MY_PAT", "12345678", true), ("AWS_SECRET", "/abc/def+ghi", true),
        ])
    func ofFile(name: String, value: String, isSecret: Bool) {
        #expect(KnownSecret.isSecret(name: name, value: value) == isSecret)
    }

    @Test("a variable of the environment is no secret, unless the config lists or expands it")
    func ofEnvironment() throws {
        let environment = [
            "GPG_KEY": "E3FF2839C048B25C", "HF_TOKEN": "hf_12345678", "WANDB_API_KEY": "w-12345678",
            "SSH_AUTH_SOCK": "/tmp", "CITY": "Springfield-on-Sea",
        ]
        let config = try Config.reading(
            """
            run: a
            command: x ${GPG_KEY}
            secrets: [HF_TOKEN]
            env: {A: "${WANDB_API_KEY}", B: "${SSH_AUTH_SOCK}", C: "${CITY}"}
            """, environment: environment)
        #expect(
            config.knownSecrets.map(\.words)
                == ["\"HF_TOKEN\" of the environment", "\"WANDB_API_KEY\" of the environment"])
    }
}
