internal import CAuthorities
internal import HTTPClient
internal import Shared

/// Whose certificates the agent believes, whatever its image has.
enum Authorities {
    /// Those built in.
    static var builtIn: [UInt8] {
        Array(UnsafeBufferPointer(start: authorities_bytes(), count: authorities_count()))
    }

    /// Those built in, and those of the file that `SSL_CERT_FILE` names, so that an authority of the user's own is believed too.
    /// Blocks as long as that file's volume does. A file that cannot be read adds none.
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
    /// How the agent speaks to the world. Made anew for each use: the authorities take some memory.
    static func ofTheAgent() async -> CurlTransport {
        // A file that is added may be on a volume that hangs.
        let authorities = try? await DedicatedThread.run { Authorities.all(ProcessEnvironment.all) }
        return CurlTransport(
            userAgent: "pod-agent/\(Version.current)", trust: .pem(authorities ?? Authorities.builtIn))
    }
}
