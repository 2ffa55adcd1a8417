import Testing

@testable import Launcher

/// Mistakes in a config, each with the exact error that `launch` prints.
@Suite struct ConfigErrorTests {
    @Test(
        "a mistake in a config is printed with its place, the reason and a hint",
        arguments: notYAML + keys + values + rules + unsupported)
    func printed(broken: Broken) {
        #expect(Config.error(in: broken.yaml.utf8) == broken.error)
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        var yaml: String
        var error: String

        init(_ yaml: String, _ error: String) {
            self.yaml = yaml
            self.error = error
        }

        var testDescription: String { error }
    }

    /// Text that is not YAML, and YAML that a config does not support.
    private static let notYAML: [Broken] = [
        Broken(
            #"""
            run: a
            command: x
            env:
              A: 1
            \#tB: 2
            """#,
            #"""
            config.yaml:5:1: a tab in the indentation
            hint: YAML is indented with spaces only
            """#),
        Broken(
            #"""
            run: a
            command: x
            env:
              \#tA: 1
            """#,
            #"""
            config.yaml:4:3: a tab in the indentation
            hint: YAML is indented with spaces only
            """#),
        Broken(
            #"""
            run: a
            command: x
            dependencies:
              requirements:
              \#t- b
            """#,
            #"""
            config.yaml:5:3: a tab in the indentation
            hint: YAML is indented with spaces only
            """#),
        Broken(
            #"""
            run: "a\e[0m"
            command: x
            """#,
            #"""
            config.yaml:1:6: "run" must be 1 to 40 of a-z, 0-9 and "-", not beginning with "-", not "a?[0m"
            """#),
        Broken(
            #"""
            run: a
            command: x
            ---
            run: b
            """#,
            #"""
            config.yaml:3:1: more than one document
            hint: a config is one document: remove what follows "---"
            """#),
        Broken(
            #"""
            - a
            - b
            """#,
            #"""
            config.yaml:1:1: a config is a map of keys
            hint: such as "run: my-run" on a line of its own
            """#),
        Broken(
            #"""
            hello
            """#,
            #"""
            config.yaml:1:1: a config is a map of keys
            hint: such as "run: my-run" on a line of its own
            """#),
        Broken(
            #"""
            # only
            """#,
            #"""
            config.yaml:1:1: the config is empty
            hint: it needs at least "run" and "command"
            """#),
        Broken(
            #"""
            ---
            """#,
            #"""
            config.yaml:1:1: the config is empty
            hint: it needs at least "run" and "command"
            """#),
        Broken(
            #"""
            run: a
            command: x
            checkpoints:
            \#tpath: x
            """#,
            #"""
            config.yaml:4:1: a tab in the indentation
            hint: YAML is indented with spaces only
            """#),
        Broken(
            #"""
            run: a
            \#tcommand: x
            """#,
            #"""
            config.yaml:2:1: a tab in the indentation
            hint: YAML is indented with spaces only
            """#),
        Broken(
            #"""
            run: a
            command: |
            \#tcat
            """#,
            #"""
            config.yaml:3:1: a tab in the indentation
            hint: YAML is indented with spaces only
            """#),
        Broken(
            #"""
            run: &a b
            command: *a
            """#,
            #"""
            config.yaml:1:6: anchors and aliases ("&name", "*name") are not supported
            hint: a value that begins with "&" or "*" needs quotes
            """#),
        Broken(
            #"""
            run: b
            command: *.ckpt
            """#,
            #"""
            config.yaml:2:10: anchors and aliases ("&name", "*name") are not supported
            hint: a value that begins with "&" or "*" needs quotes
            """#),
        Broken(
            #"""
            <<: {a: b}
            run: a
            """#,
            #"""
            config.yaml:1:1: merge keys ("<<") are not supported
            """#),
        Broken(
            #"""
            run: a
            command: x
            env:
              <<: *base
            """#,
            #"""
            config.yaml:4:7: anchors and aliases ("&name", "*name") are not supported
            hint: a value that begins with "&" or "*" needs quotes
            """#),
        Broken(
            #"""
            a: &a [x,x]
            b: &b [*a,*a]
            """#,
            #"""
            config.yaml:1:4: anchors and aliases ("&name", "*name") are not supported
            hint: a value that begins with "&" or "*" needs quotes
            """#),
        Broken(
            #"""
            ? *a
            : x
            """#,
            #"""
            config.yaml:1:3: anchors and aliases ("&name", "*name") are not supported
            hint: a value that begins with "&" or "*" needs quotes
            """#),
        Broken(
            #"""
            run: !!int 5
            command: x
            """#,
            #"""
            config.yaml:1:6: tags ("!name") are not supported
            hint: a value that begins with "!" needs quotes
            """#),
        Broken(
            #"""
            run: !foo 5
            command: x
            """#,
            #"""
            config.yaml:1:6: tags ("!name") are not supported
            hint: a value that begins with "!" needs quotes
            """#),
        Broken(
            #"""
            run: a
            command: x: y
            """#,
            #"""
            config.yaml:2:11: not valid YAML: mapping values are not allowed in this context
            hint: a value that holds ": " needs quotes
            """#),
        Broken(
            #"""
            run: a
            command: "x
            """#,
            #"""
            config.yaml:2:10: not valid YAML: the quote that begins here has no end
            """#),
        Broken(
            #"""
            run: a
            command: @x
            """#,
            #"""
            config.yaml:2:10: not valid YAML: found character that cannot start any token
            hint: a value that begins with "@", "`" or "%" needs quotes
            """#),
        Broken(
            #"""
            run: a
             command: x
            """#,
            #"""
            config.yaml:2:9: not valid YAML: mapping values are not allowed in this context
            hint: a value that holds ": " needs quotes
            """#),
        Broken(
            #"""
            run: a
            command: "\d"
            """#,
            #"""
            config.yaml:2:11: not valid YAML: found unknown escape character
            hint: in single quotes a backslash is just a backslash
            """#),
        Broken(
            #"""
            run: a
            command: "a\0b"
            """#,
            #"""
            config.yaml:2:10: "command" holds a NUL character
            """#),
        Broken(
            #"""
            run: a
            command: x
            [a]: b
            """#,
            #"""
            config.yaml:3:1: a key must be a word
            """#),
        Broken(
            #"""
            run: a
            command: x
            "a
              b": c
            """#,
            #"""
            config.yaml:4:5: not valid YAML: could not find expected ':', while scanning a simple key that begins on line 3
            """#),
        Broken(
            #"""
            run: a
            command: &x
            """#,
            #"""
            config.yaml:2:10: anchors and aliases ("&name", "*name") are not supported
            hint: a value that begins with "&" or "*" needs quotes
            """#),
        Broken(
            #"""
            a: &a ["lol","lol","lol"]
            b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
            c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
            d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]
            e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]
            f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]
            g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]
            h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]
            i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]
            ? *i
            : x
            """#,
            #"""
            config.yaml:1:4: anchors and aliases ("&name", "*name") are not supported
            hint: a value that begins with "&" or "*" needs quotes
            """#),
        Broken(
            #"""
            run: a
            command: x
            [a, b]: b
            """#,
            #"""
            config.yaml:3:1: a key must be a word
            """#),
        Broken(
            #"""
            run: a
            command: x
            {a: b}: b
            """#,
            #"""
            config.yaml:3:1: a key must be a word
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {<<: 1}
            """#,
            #"""
            config.yaml:3:7: merge keys ("<<") are not supported
            """#),
    ]

    /// Keys that are unknown, missing or duplicate.
    private static let keys: [Broken] = [
        Broken(
            #"""
            run: a
            comand: x
            """#,
            #"""
            config.yaml:2:1: unknown key "comand"
            hint: did you mean "command"?
            """#),
        Broken(
            #"""
            run: a
            command: x
            run: b
            """#,
            #"""
            config.yaml:3:1: duplicate key "run", given already on line 1
            hint: keep only one of the two
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {A: 1, B: 2, A: 3}
            """#,
            #"""
            config.yaml:3:19: duplicate key "A", given already on line 3
            hint: keep only one of the two
            """#),
        Broken(
            #"""
            run: a
            command: x
            "run": c
            run: d
            """#,
            #"""
            config.yaml:3:1: duplicate key "run", given already on line 1
            hint: keep only one of the two
            """#),
        Broken(
            #"""
            run: a
            command: x
            env:
              A: 1
              B: 2
              "A": 3
            """#,
            #"""
            config.yaml:6:3: duplicate key "A", given already on line 4
            hint: keep only one of the two
            """#),
        Broken(
            #"""
            run: a
            command: x
            dependencies: {pyton: x}
            """#,
            #"""
            config.yaml:3:16: unknown key "pyton" in "dependencies"
            hint: did you mean "python"?
            """#),
        Broken(
            #"""
            run: a
            command: x
            checkpoints: {}
            """#,
            #"""
            config.yaml:3:1: "checkpoints.path" is missing
            hint: it must be a path relative to "workdir"
            """#),
        Broken(
            #"""
            run: a
            command: x
            zzzzzzz: 1
            """#,
            #"""
            config.yaml:3:1: unknown key "zzzzzzz"
            hint: known keys: run, provider, image, command, resume, fresh, workdir, code, dependencies, checkpoints, progress, env, secrets, tty, resources, limits, retry, on_finish, disk_full, logs, agent_port, tensorboard, notify, mirror, project
            """#),
        Broken(
            #"""
            run: a
            command: x
            mirror: {}
            """#,
            #"""
            config.yaml:3:1: "mirror.bucket" is missing
            hint: it must be a text
            """#),
        Broken(
            #"""
            run: a
            command: 'x *y'
            env: {"a*": 1, "a&": 2}
            """#,
            #"""
            config.yaml:3:16: duplicate key "a&", given already on line 3
            hint: keep only one of the two
            """#),
        Broken(
            #"""
            run: a
            command: x
            checkpoints: {pth: x}
            """#,
            #"""
            config.yaml:3:15: unknown key "pth" in "checkpoints"
            hint: did you mean "path"?
            """#),
        Broken(
            #"""
            run: a
            """#,
            #"""
            config.yaml: "command" is missing
            hint: it must be a text or a list of words
            """#),
    ]

    /// Values of the wrong type or form.
    private static let values: [Broken] = [
        Broken(
            #"""
            run: ~
            command: x
            """#,
            #"""
            config.yaml:1:1: "run" has no value
            hint: give it 1 to 40 of a-z, 0-9 and "-", not beginning with "-", or remove the key
            """#),
        Broken(
            #"""
            run:
            command: x
            """#,
            #"""
            config.yaml:1:1: "run" has no value
            hint: give it 1 to 40 of a-z, 0-9 and "-", not beginning with "-", or remove the key
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {A: 1, B: true, C: null}
            """#,
            #"""
            config.yaml:3:22: "env.C" has no value
            hint: give it a text, or remove the key
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {A: [1]}
            """#,
            #"""
            config.yaml:3:10: "env.A" must be a text, not a list
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: [A]
            """#,
            #"""
            config.yaml:3:6: "env" must be a map, not a list
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {A-B: 1}
            """#,
            #"""
            config.yaml:3:7: "A-B" is not the name of a variable
            hint: letters, digits and "_", no digit first
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {POD_AGENT_RESUME: 1}
            """#,
            #"""
            config.yaml:3:7: "POD_AGENT_RESUME" is a variable of pod-agent itself
            """#),
        Broken(
            #"""
            run: a
            command: python {resume}
            resume: {checkpoint}
            """#,
            #"""
            config.yaml:3:9: "resume" must be a text or a list of words, not a map
            hint: a text that begins with "{" needs quotes
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {DATA: "$HOME/data"}
            """#,
            #"""
            config.yaml:3:13: "env.DATA" uses "$HOME", which nothing expands
            hint: write ${HOME} for its value here, or set "DATA" in "command", where the pod's shell expands it
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {PATH: "/x:$PATH"}
            """#,
            #"""
            config.yaml:3:13: "env.PATH" uses "$PATH", which nothing expands
            hint: write ${PATH} for its value here, or set "PATH" in "command", where the pod's shell expands it
            """#),
        Broken(
            #"""
            run: a
            command: x
            env: {DATA: ~/data}
            """#,
            #"""
            config.yaml:3:13: "env.DATA" begins with "~", which nothing expands
            hint: write ${HOME}/data, or set "DATA" in "command", where the pod's shell expands it
            """#),
        Broken(
            #"""
            run: --help
            command: x
            """#,
            #"""
            config.yaml:1:6: "run" must be 1 to 40 of a-z, 0-9 and "-", not beginning with "-", not "--help"
            """#),
        Broken(
            #"""
            run: A_b
            command: x
            """#,
            #"""
            config.yaml:1:6: "run" must be 1 to 40 of a-z, 0-9 and "-", not beginning with "-", not "A_b"
            """#),
        Broken(
            #"""
            run: ${MISSING}
            command: x
            """#,
            #"""
            config.yaml:1:6: "run" uses "${MISSING}", which is not set
            hint: set it in the environment or in .env; "$${MISSING}" stays as text
            """#),
        Broken(
            #"""
            run: a
            command: x
            limits: {stall: 30}
            """#,
            #"""
            config.yaml:3:17: "limits.stall" must be a duration such as 30s, 10m or 1h30m or "auto" or "none", not "30"
            """#),
        Broken(
            #"""
            run: a
            command: x
            limits: {setup: "soon"}
            """#,
            #"""
            config.yaml:3:17: "limits.setup" must be a duration such as 30s, 10m or 1h30m, not "soon"
            """#),
        Broken(
            #"""
            run: a
            command: x
            provider: runpd
            """#,
            #"""
            config.yaml:3:11: "provider" must be "local" or "runpod", not "runpd"
            hint: did you mean "runpod"?
            """#),
        Broken(
            #"""
            run: a
            command: x
            code: src
            """#,
            #"""
            config.yaml:3:7: "code" must be a map, not "src"
            """#),
        Broken(
            #"""
            run: a
            command: x
            resources: {volume: {path: ~joe/vol}}
            """#,
            #"""
            config.yaml:3:28: "resources.volume.path" must be a path of this machine, not "~joe/vol"
            hint: "~" needs HOME to be set, and "~name" is not supported
            """#),
        Broken(
            #"""
            run: a
            command: x
            workdir: ../x
            """#,
            #"""
            config.yaml:3:10: "workdir" must be a path in the work tree, or an absolute one, not "../x"
            """#),
        Broken(
            #"""
            run: a
            command: x
            tty: yes
            """#,
            #"""
            config.yaml:3:6: "tty" must be true or false, not "yes"
            """#),
        Broken(
            #"""
            run: a
            command: x
            tty: "true"
            """#,
            #"""
            config.yaml:3:6: "tty" must be true or false without quotes, not "true"
            """#),
        Broken(
            #"""
            run: a
            command: x
            tty: False
            """#,
            #"""
            config.yaml:3:6: "tty" must be true or false, not "False"
            """#),
        Broken(
            #"""
            run: a
            command: x
            agent_port: 70000
            """#,
            #"""
            config.yaml:3:13: "agent_port" must be a whole number from 1 to 65535, not "70000"
            """#),
        Broken(
            #"""
            run: a
            command: x
            agent_port: "8000"
            """#,
            #"""
            config.yaml:3:13: "agent_port" must be a whole number from 1 to 65535 without quotes, not "8000"
            """#),
        Broken(
            #"""
            run: a
            command: x
            on_finish: keep2
            """#,
            #"""
            config.yaml:3:12: "on_finish" must be "terminate", "stop", "keep" or {keep: DURATION}, not "keep2"
            hint: did you mean "keep"?
            """#),
        Broken(
            #"""
            run: a
            command: x
            disk_full: pause
            """#,
            #"""
            config.yaml:3:12: "disk_full" must be "stop" or {pause: DURATION}, not "pause"
            """#),
        Broken(
            #"""
            run: a
            command: x
            progress: 'step \d+'
            """#,
            #"""
            config.yaml:3:11: "progress" must be a regex with one group, the step, not "step \d+"
            hint: such as 'step (\d+)'
            """#),
        Broken(
            #"""
            run: a
            command: x
            progress: 'step ('
            """#,
            #"""
            config.yaml:3:11: "progress" is not a regex that can be read
            """#),
        Broken(
            #"""
            run: a
            command: x
            notify: [foo]
            """#,
            #"""
            config.yaml:3:10: "notify" must be a URL that begins with https:// or http://, not "foo"
            """#),
        Broken(
            #"""
            run: a
            command: x
            notify: ["https://x/a@b", "https://me:hunter2@x/a"]
            """#,
            #"""
            config.yaml:3:27: "notify" must be a URL without a user and a password
            hint: a token in its path or query is never shown; keep it in the environment as ${NAME}
            """#),
        Broken(
            #"""
            run: a
            command: x
            limits:
              cost: 5
            """#,
            #"""
            config.yaml:4:3: "limits.cost" limits nothing: a run of "provider: local" costs nothing
            hint: remove it, or limit the time with "limits.duration"
            """#),
        Broken(
            #"""
            run: a
            command: x
            secrets: {HF_TOKEN: hf_abcdefghijk}
            """#,
            #"""
            config.yaml:3:21: "secrets.HF_TOKEN" must be "runpod:" and the name of a secret
            hint: a secret of this machine belongs in a list: secrets: [NAME]
            """#),
        Broken(
            #"""
            run: a
            command: x
            secrets: [HF_TOKEN]
            """#,
            #"""
            config.yaml:3:11: the secret "HF_TOKEN" is not set
            hint: set it in the environment or in .env
            """#),
        Broken(
            #"""
            run: a
            command: x
            dependencies: {requirements: requirements.txt}
            """#,
            #"""
            config.yaml:3:30: "dependencies.requirements" must be a list, not "requirements.txt"
            hint: a list is written [one, two], or with a "- " before each item
            """#),
        Broken(
            #"""
            run: a
            command: x
            dependencies: {requirements: [../r.txt]}
            """#,
            #"""
            config.yaml:3:31: "dependencies.requirements" must be a path in the work tree, not "../r.txt"
            """#),
        Broken(
            #"""
            run: a
            command: x
            dependencies: {installer: uvv}
            """#,
            #"""
            config.yaml:3:27: "dependencies.installer" must be "auto", "pip" or "uv", not "uvv"
            hint: did you mean "uv"?
            """#),
        Broken(
            #"""
            run: a
            command: x
            checkpoints: {path: /x}
            """#,
            #"""
            config.yaml:3:21: "checkpoints.path" must be a path relative to "workdir", not "/x"
            """#),
        Broken(
            #"""
            run: a
            command: x
            checkpoints: {path: x, keep: 0}
            """#,
            #"""
            config.yaml:3:30: "checkpoints.keep" must be a whole number from 1 on or "none", not "0"
            """#),
        Broken(
            #"""
            run: a
            command: ""
            """#,
            #"""
            config.yaml:2:10: "command" is empty
            """#),
        Broken(
            #"""
            run: a
            command: []
            """#,
            #"""
            config.yaml:2:10: "command" is empty
            """#),
        Broken(
            #"""
            run: a
            command: [python, null]
            """#,
            #"""
            config.yaml:2:19: "command" has no value
            hint: give it a text, or remove the key
            """#),
        Broken(
            #"""
            run: a
            command: x
            resources: {ports: [8888]}
            """#,
            #"""
            config.yaml:3:21: "resources.ports" must be a port such as 8888/http or 22/tcp, not "8888"
            """#),
        Broken(
            #"""
            run: a
            command: x
            resources: {max_price: -1}
            """#,
            #"""
            config.yaml:3:24: "resources.max_price" must be an amount of US dollars such as 2.50, not "-1"
            """#),
        Broken(
            #"""
            run: a
            command: x
            retry: {crash: lots}
            """#,
            #"""
            config.yaml:3:16: "retry.crash" must be a whole number from 0 on or "unlimited", not "lots"
            """#),
        Broken(
            #"""
            run: a
            command: !!map {a: b}
            """#,
            #"""
            config.yaml:2:10: "command" must be a text or a list of words, not a map
            """#),
    ]

    /// Rules about several keys together.
    private static let rules: [Broken] = [
        Broken(
            #"""
            run: a
            command: python train.py {resume}
            """#,
            #"""
            config.yaml:2:1: "command" uses {resume}, but there is no "resume"
            hint: such as resume: --resume {checkpoint}
            """#),
        Broken(
            #"""
            run: a
            command: python train.py {resume}
            resume: --resume {checkpoint}
            """#,
            #"""
            config.yaml:3:1: "resume" needs "checkpoints.path"
            hint: say where the training saves
            """#),
        Broken(
            #"""
            run: a
            command: [python, "--x={resume}"]
            resume: ["--resume", "{checkpoint}"]
            checkpoints: {path: out}
            """#,
            #"""
            config.yaml:2:1: "{resume}" in a list must be an element of its own
            hint: such as [python, train.py, "{resume}"]
            """#),
        Broken(
            #"""
            run: a
            command: [python, "{resume}"]
            resume: --resume {checkpoint}
            checkpoints: {path: out}
            """#,
            #"""
            config.yaml:3:1: "resume" must be a list if "command" is one
            hint: such as ["--resume", "{checkpoint}"]
            """#),
        Broken(
            #"""
            run: a
            command: python {checkpoint}
            """#,
            #"""
            config.yaml:2:1: "{checkpoint}" is allowed in "resume" only
            hint: write {resume} in "command", and resume: --resume {checkpoint}
            """#),
        Broken(
            #"""
            run: a
            command: x
            provider: runpod
            """#,
            #"""
            config.yaml:3:1: "provider: runpod" needs an "image"
            """#),
        Broken(
            #"""
            run: a
            command: x
            code: {git: x, path: .}
            """#,
            #"""
            config.yaml:3:16: two code sources
            hint: give "git" or "path", not both
            """#),
        Broken(
            #"""
            run: a
            command: x
            code: {}
            """#,
            #"""
            config.yaml:3:1: "code" needs "path" or "git"
            """#),
        Broken(
            #"""
            run: a
            command: x
            code: {ref: main}
            """#,
            #"""
            config.yaml:3:8: "code.ref" needs "code.git"
            """#),
        Broken(
            #"""
            run: a
            command: x
            resources: {volume: {network: a, size: 5}}
            """#,
            #"""
            config.yaml:3:34: two kinds of volume
            hint: give one of "network", "size" and "path"
            """#),
        Broken(
            #"""
            run: a
            command: x
            resources: {volume: {network: a}, cloud: community}
            provider: runpod
            image: x@sha256:1
            """#,
            #"""
            config.yaml:3:35: the community cloud has no network volumes
            hint: use cloud: secure, or a volume with a "size"
            """#),
        Broken(
            #"""
            run: a
            command: x
            workdir: /tmp
            """#,
            #"""
            config.yaml:3:1: an absolute "workdir" must be on the volume
            hint: the volume is "/home/me/.local/state/launch/volume"
            """#),
        Broken(
            #"""
            run: a
            command: x
            workdir: /vol/x
            resources: {volume: {path: /vol}}
            checkpoints: {path: ../../x}
            """#,
            #"""
            config.yaml:5:15: "checkpoints.path" leads out of the volume
            """#),
        Broken(
            #"""
            run: a
            command: x
            logs: {segment: 8GB, keep: 4GB}
            """#,
            #"""
            config.yaml:3:8: "logs.segment" is larger than "logs.keep"
            """#),
        Broken(
            #"""
            run: a
            command: x
            secrets: [API_KEY]
            env: {API_KEY: x}
            """#,
            #"""
            config.yaml:4:7: "API_KEY" is in "env" and in "secrets"
            hint: keep one
            """#),
    ]

    /// Valid values whose feature is not built yet.
    private static let unsupported: [Broken] = [
        Broken(
            #"""
            run: a
            command: x
            secrets: {A: runpod:B}
            """#,
            #"""
            config.yaml:3:11: a secret of RunPod is for "provider: runpod" only
            hint: write secrets: [A] and set it in the environment or in .env
            """#),
        Broken(
            #"""
            run: a
            command: x
            on_finish: {keep: 2h}
            """#,
            #"""
            config.yaml:3:1: "on_finish" is not supported yet
            hint: remove it, or use "stop"
            """#),
    ]
}
