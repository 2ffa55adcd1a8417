internal import CAuthorities
internal import HTTPClient
internal import Shared

/// The certificate authorities that the agent trusts, whatever its image has.
enum Authorities {
    /// The authorities built into the program, in PEM.
    static var builtIn: [UInt8] {
        Array(UnsafeBufferPointer(start: authorities_bytes(), count: authorities_count()))
    }

    /// The built-in authorities and those of the file in `SSL_CERT_FILE`, with which users add their own. Blocks, and
    /// may hang with the file's volume. A file that cannot be read adds none.
    static func all(_ environment: [String: String]) -> [UInt8] {
        guard let path = environment["SSL_CERT_FILE"], !path.isEmpty else { return builtIn }
        do {
            return builtIn + [UInt8(ascii: "\n")] + (try File.read(path))
        } catch {
            Console.complain(error)
            return builtIn
        }
    }
}

extension CurlTransport {
    /// Makes the HTTP client of the agent. Make a new one for each use, because the authorities take some memory.
    static func ofTheAgent() async -> CurlTransport {
        // The user's file may be on a volume that hangs.
        let authorities = try? await DedicatedThread.run { Authorities.all(ProcessEnvironment.all) }
        return CurlTransport(
            userAgent: "pod-agent/\(Version.current)", trust: .pem(authorities ?? Authorities.builtIn))
    }
}
