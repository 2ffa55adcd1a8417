import Shared
import TestSupport
import Testing

/// Secrets reach the training and nothing else.
@Suite(.serialized, .timeLimit(.minutes(1))) struct SecretTests {
    private static let value = "hf_0123456789abcdef"

    /// Expects that no file below `folder` contains the secret. Files that are called `name` are left out.
    private func expectNoneHolds(_ folder: String, except name: String) throws {
        for file in try File.list(folder) where file != name {
            let path = "\(folder)/\(file)"
            guard let status = File.status(path), !status.isLink else { continue }
            if status.isFolder {
                try expectNoneHolds(path, except: name)
            } else {
                #expect(!(try File.read(path)).text.contains(Self.value), "\(path) holds the secret")
            }
        }
    }

    /// The training prints it whole, byte by byte, split over both outputs, and in a traceback.
    @Test("a secret is masked on screen and in every file however the training prints it")
    func masking() async throws {
        try await Site.with { site in
            try site.write("project/.env", "HF_TOKEN=\(Self.value)\n")
            try site.write(
                "project/train.py",
                """
                import os, subprocess, sys, time
                token = os.environ["HF_TOKEN"]
                print(f"token {token} {token}!")
                for character in token:
                    os.write(1, character.encode())
                    time.sleep(0.001)
                print()
                sys.stderr.write(token[:9])
                sys.stderr.flush()
                print(token[9:], flush=True)
                raise ValueError(f"bad token {token}")
                """)
            try site.config(
                """
                run: secret
                code: {path: .}
                command: [python3, train.py]
                secrets: [HF_TOKEN]
                retry: {crash: 0}
                """)
            let run = try site.launch("run")
            #expect(try await run.end() == 1)
            #expect(run.text.contains("token *** ***!\n***\n***\n"))
            #expect(run.text.contains("ValueError: bad token ***\n"))
            #expect(!run.text.contains(Self.value))
            try expectNoneHolds(site.home, except: "key")
            let status = try site.launch("status", "--json")
            try await status.check()
            #expect(status.text.contains("bad token ***"))
        }
    }

    /// The training and a failing child print the value in each encoding, cut in two, with a traceback and a trace.
    @Test("no byte of the volume and of launch's folder holds a secret in any of six encodings")
    func everyEncoding() async throws {
        try await Site.with { site in
            try site.write("project/.env", #"TOKEN='p@ss w"rd/ü\n%0123456789'"# + "\n")
            try site.write(
                "project/train.py",
                #"""
                import base64, binascii, json, os, sys, urllib.parse
                value = os.environ["TOKEN"]
                raw = value.encode()
                forms = [
                    raw, json.dumps(value)[1:-1].encode(), urllib.parse.quote(value).encode(), base64.b64encode(raw),
                    base64.urlsafe_b64encode(b"someone:" + raw), binascii.hexlify(raw),
                ]
                with open(os.environ["SITE"] + "/forms", "wb") as file:
                    file.write(b"\n".join(map(binascii.hexlify, forms)))
                for form in forms:
                    os.write(1, b"<" + form + b">\n" + form[:7])
                    os.write(2, form[7:] + b"\n")
                print(repr(value), ascii(value), repr(raw))
                os.system('set -x; : "$TOKEN"')
                os.system('''bash -c 'exec -a "$TOKEN" sleep 300' &''')
                raise ValueError(value)
                """#)
            try site.config(
                """
                run: secret
                code: {path: .}
                command: python3 train.py
                secrets: [TOKEN]
                retry: {crash: 0}
                """)
            let run = try site.launch("run")
            #expect(try await run.end() == 1)
            #expect(run.text.contains("\n<***>\n"))
            let forms = try File.read("\(site.root)/forms").split(separator: UInt8(ascii: "\n")).map { bytes(of: $0) }
            try #require(forms.count == 6)
            // Only the part of the base64 form that does not depend on the user can be searched for.
            let searched: [ArraySlice<UInt8>] = [
                forms[0], forms[1], forms[2], forms[3].dropLast(4), forms[4].dropFirst(12).dropLast(4), forms[5],
            ]
            try #require(searched.allSatisfy { $0.count >= 16 })
            let all =
                try texts(below: site.home, except: "key") + [
                    ("the terminal", run.output), ("errors", Array(run.errors.utf8)),
                ]
            #expect(all.count > 8)
            for (name, text) in all {
                for form in searched { #expect(text.firstRange(of: form) == nil, "\(name) holds \(Array(form).text)") }
            }
        }
    }

    private func bytes(of hexadecimal: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = Array(hexadecimal)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(digits[$0...$0 + 1].text, radix: 16) }[...]
    }

    /// The content of each file below a folder with its path, and of a sealed segment its text too.
    private func texts(below folder: String, except name: String) throws -> [(String, [UInt8])] {
        try File.list(folder).filter { $0 != name }.flatMap { file -> [(String, [UInt8])] in
            let path = "\(folder)/\(file)"
            guard let status = File.status(path), !status.isLink else { return [(path, Array(file.utf8))] }
            if status.isFolder { return try texts(below: path, except: name) + [(path, Array(file.utf8))] }
            let zipped = file.hasSuffix(".gz") ? try Command.run(["gzip", "-dc", path]).output : []
            return [(path, try File.read(path)), (path, zipped), (path, Array(file.utf8))]
        }
    }

    @Test("launch run refuses a command that contains the value of a secret, without printing it")
    func secretInCommand() async throws {
        try await Site.with { site in
            try site.config("run: secret\ncommand: train --token \(Self.value)\nsecrets: [HF_TOKEN]\n")
            let run = try site.launch("run", environment: ["HF_TOKEN": Self.value])
            #expect(try await run.end() == 78)
            #expect(run.errors.contains("\"command\" holds the value of a secret, \"HF_TOKEN\" of the environment"))
            #expect(!run.errors.contains(Self.value))
        }
    }

    @Test("launch run refuses a variable with a value of .env whatever its name, and writes the value nowhere")
    func otherName() async throws {
        try await Site.with { site in
            try site.write("project/.env", "GITLAB_PAT=\(Self.value)\n")
            try site.config("run: secret\nenv: {A: \"https://u:${GITLAB_PAT}@git.example.com\"}\ncommand: echo hi\n")
            let run = try site.launch("run")
            #expect(try await run.end() == 78)
            #expect(run.errors.contains("\"env.A\" holds the value of a secret, \"GITLAB_PAT\" of .env"))
            #expect(run.errors.contains("hint: write secrets: [GITLAB_PAT], and use $GITLAB_PAT in \"command\""))
            try expectNoneHolds(site.home, except: "key")
        }
    }

    @Test("the pod's shell expands the variables of a command, with the values of the pod")
    func commandVariables() async throws {
        try await Site.with { site in
            try site.config("run: shell\ncommand: |\n  N=2; echo \"n=${N} $${#N} in ${PWD}\"\n")
            let run = try site.launch("run", environment: ["N": "8"])
            try await run.check()
            #expect(run.text.contains("\nn=2 "))
            #expect(run.text.contains("in \(site.home)/volume/runs/shell/work\n"))
        }
    }
}

@Suite(.serialized, .timeLimit(.minutes(1))) struct TerminalTests {
    @Test("the training has a terminal of 80 columns if tty is true, and its bytes stay unchanged")
    func terminal() async throws {
        try await Site.with { site in
            try site.write(
                "project/train.py",
                """
                import os, sys
                print("terminals", sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty(), os.environ["TERM"])
                print("columns", os.get_terminal_size(1).columns)
                os.write(1, b"bar 1\\rbar 2\\r\\nbytes \\x00\\x03\\x04\\xff\\t.\\n")
                os.write(1, b"x" * 300000 + b"\\n")
                """)
            try site.config("run: tty\ncode: {path: .}\ncommand: [python3, train.py]\ntty: true\n")
            let run = try site.launch("run", environment: ["TERM": ""])
            try await run.check()
            let log = try site.log("tty")
            let expected =
                Array("terminals False True True \ncolumns 80\nbar 1\rbar 2\r\nbytes \0\u{3}\u{4}".utf8) + [0xff]
                + Array("\t.\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: 300_000)
                + Array("\nEXIT_CODE=0\n".utf8)
            #expect(log.suffix(expected.count).elementsEqual(expected))
        }
    }
}
