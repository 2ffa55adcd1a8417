/// One request from its first to its last byte, on the thread that calls `run`.
///
/// Keeps the timeouts itself. libcurl would first wait for its resolver thread if the name server does not answer, and
/// has no idle time below a second.
struct Transfer {
    private let request: HTTPRequest
    private let options: CurlOptions
    private let pipe: ResponsePipe
    private let outgoing: RequestPipe

    init(_ request: HTTPRequest, _ options: CurlOptions, _ pipe: ResponsePipe, _ outgoing: RequestPipe) {
        self.request = request
        self.options = options
        self.pipe = pipe
        self.outgoing = outgoing
    }

    /// Blocks until the transfer has ended and its resources are freed.
    ///
    /// The consumer gets the end earlier: freeing waits for a name server that does not answer.
    func run() {
        defer { outgoing.close() }
        do {
            let receiver = CurlReceiver(pipe: pipe, outgoing: outgoing, length: request.body?.length)
            let handle = try CurlHandle(request, options, receiver)
            pipe.attach(wake: handle.wake)
            outgoing.attach(wake: handle.wake)
            defer {
                withExtendedLifetime(handle) {
                    pipe.detach()
                    outgoing.close()
                }
            }
            do {
                try drive(handle, receiver)
                pipe.finish(.success(()))
            } catch {
                pipe.finish(.failure(error))
            }
        } catch {
            pipe.finish(.failure(error))
        }
    }

    private func drive(_ handle: CurlHandle, _ receiver: CurlReceiver) throws(HTTPError) {
        let start = ContinuousClock.now
        var isConnected = false
        while true {
            switch pipe.demand() {
            case .stop: return
            case .resume: try handle.resume()
            case .carryOn: break
            }
            if outgoing.takeResume() { try handle.resume() }
            if try handle.perform() {
                if let error = receiver.error { throw error }
                return
            }
            if !isConnected, handle.isConnected {
                isConnected = true
                receiver.touch()
            }
            // Timeouts are checked after reading: a machine that slept or was busy may have bytes waiting.
            try handle.poll(for: try timeLeft(since: start, isConnected, receiver))
        }
    }

    /// Returns the time until the next timeout; nil if there is none.
    private func timeLeft(
        since start: ContinuousClock.Instant, _ isConnected: Bool, _ receiver: CurlReceiver
    ) throws(HTTPError) -> Duration? {
        let now = ContinuousClock.now
        let times = request.timeouts
        var left: [Duration] = []
        if let total = times.total {
            left.append(total - (now - start))
            if now - start >= total { throw timedOut("\"\(request.label)\" took longer than \(total)") }
        }
        if !isConnected {
            left.append(times.connect - (now - start))
            if now - start >= times.connect {
                throw timedOut("could not connect to \"\(request.label)\" within \(times.connect)")
            }
        } else if let idle = times.idle, !receiver.isPaused, !receiver.isStarved {
            left.append(idle - (now - receiver.lastByte))
            if now - receiver.lastByte >= idle {
                throw timedOut("nothing came from \"\(request.label)\" for \(idle)")
            }
        }
        return left.min()
    }

    private func timedOut(_ message: String) -> HTTPError {
        HTTPError(.timedOut, message, hint: "check the network, or try again later")
    }
}
