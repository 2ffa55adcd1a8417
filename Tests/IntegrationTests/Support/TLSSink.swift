import Glibc
import Shared
import TestSupport
import Testing

/// An HTTPS server that keeps the bodies of POST requests. Its certificate is made for the test.
struct TLSSink {
    private static let script = """
        import http.server, ssl, sys

        class Sink(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                print(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("cert.pem", "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print(f"port {server.server_port}.", flush=True)
        server.serve_forever()
        """

    private let running: Running
    let url: String
    /// The path of the certificate, which is its own authority.
    let certificate: String

    init(at site: Site) async throws {
        certificate = "\(site.project)/cert.pem"
        try await site.start([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
            "-subj", "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem",
        ]).check()
        let running = try site.start(["python3", "-u", "-c", Self.script])
        self.running = running
        url = try await eventually("the sink's port") {
            running.text.firstMatch(of: /port ([0-9]+)\./).map { "https://127.0.0.1:\($0.1)/" }
        }
    }

    /// The bodies so far, one a line.
    var received: [String] { running.text.split(separator: "\n").dropFirst().map(String.init) }

    func end() async throws {
        running.send(SIGKILL)
        _ = try await running.end()
    }
}
