"""An agent with a run of its own, started as the local provider starts it, and followers of its log."""

import hashlib
import http.client
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "bench"
TOKEN = "bench"


def wait_for(condition, what, seconds=120):
    """Calls `condition` each millisecond until its value is true. Returns that value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"no {what} after {seconds} s")
        time.sleep(0.001)
    return value


class Pod:
    """An agent and its folder. Use it as a context, which ends the agent and removes the folder."""

    def __init__(self, command, config=None, folder=None):
        self.folder = Path(folder or FOLDER / "pod")
        self.volume = self.folder / "volume"
        self.run = self.volume / "runs" / "bench"
        self.endpoint = self.folder / "endpoint"
        self.command = command
        self.config = config or {}
        self.process = None

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.volume.mkdir(parents=True)
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        """The variables that `launch` would give the pod, with the token of the bench."""
        config = {"run": "bench", "command": self.command, "resources": {"volume": {"path": str(self.volume)}}}
        # JSON is YAML.
        (self.folder / "config.yaml").write_text(json.dumps(config | self.config))
        preview = subprocess.run(
            [ROOT / "dist" / "launch", "run", "--dry-run", self.folder / "config.yaml"],
            check=True, capture_output=True, text=True,
            env=os.environ | {"LAUNCH_HOME": str(self.folder / "home"), "POD_AGENT": str(ROOT / "dist" / "pod-agent")},
        ).stdout
        request = json.loads(preview[preview.index('request to provider') :].split("\n", 1)[1])
        return request["environment"] | {
            "POD_AGENT_TOKEN_SHA256": hashlib.sha256(TOKEN.encode()).hexdigest(),
            "POD_AGENT_ENDPOINT_FILE": str(self.endpoint),
        }

    def start(self):
        """Starts the agent. Returns the time just before, by the wall clock and by the monotonic clock."""
        environment = os.environ | self.environment()
        self.console = open(self.folder / "console.log", "wb")
        began = (time.time(), time.monotonic())
        self.process = subprocess.Popen(
            [ROOT / "dist" / "pod-agent"], env=environment, stdout=self.console, stderr=self.console,
            cwd=self.folder, start_new_session=True,
        )
        return began

    def wait(self):
        """Waits for the agent's end. Returns its exit code."""
        code = self.process.wait(timeout=600)
        self.console.close()
        return code

    @property
    def address(self):
        wait_for(self.endpoint.exists, "address of the agent")
        host, port = self.endpoint.read_text().strip().removeprefix("http://").split(":")
        return host, int(port)

    def record(self, attempt=1):
        return json.loads((self.run / "attempts" / f"{attempt:04}.json").read_text())

    def pids(self):
        """The process ids of init and, if it runs, of serve."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid] + [
            int(pid) for pid in children if Path(f"/proc/{pid}/exe").resolve().name == "pod-agent"
        ]

    def serve(self):
        """The process id of serve, once it runs."""
        return wait_for(lambda: self.pids()[1:], "serve")[0]

    def cpu(self):
        """Processor seconds that init and serve have used."""
        ticks = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Anonymous and resident MB of `serve`."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.pids()[-1]}/status").read_text().splitlines())
        return {name: int(status[name].split()[0]) / 1024 for name in ("RssAnon", "VmRSS")}

    def stream(self):
        """Paths of the sealed and live segments, in order."""
        return sorted((self.run / "logs").glob("*.log*"), key=lambda path: path.name)

    def get(self, path, headers=None):
        connection = http.client.HTTPConnection(*self.address)
        connection.request("GET", path, headers={"X-Pod-Agent-Token": TOKEN} | (headers or {}))
        return connection.getresponse()


def read_stream(address, offset, deliver, stop=None):
    """Follows the log from `offset` and reconnects as a client does. `deliver` gets each piece. Returns the end of what
    was read, once the agent has ended or `deliver` returns true.
    """
    stream = ""
    while True:
        try:
            connection = http.client.HTTPConnection(*address, timeout=90)
            path = f"/v1/log?follow=1&from={offset}" + (f"&stream={stream}" if stream else "")
            connection.request("GET", path, headers={"X-Pod-Agent-Token": TOKEN})
            response = connection.getresponse()
        except OSError:
            return offset
        if response.status == 503:
            # The run is not claimed yet.
            time.sleep(0.002)
            continue
        if response.status != 200:
            raise RuntimeError(f"{response.status} {response.read()[:200]}")
        stream = response.getheader("X-Log-Stream")
        try:
            # read1 returns what has arrived, as a followed response has no end to wait for.
            while piece := response.read1(1 << 20):
                offset += len(piece)
                if deliver(piece):
                    return offset
        except (OSError, http.client.HTTPException):
            pass


class Followers:
    """Processes that read the whole log. `size` is the bytes of the log before the agent's last lines. `stalled`
    clients never read.
    """

    def __init__(self, pod, count, size, stalled=0):
        self.results = multiprocessing.Queue()
        self.caught_up = multiprocessing.Semaphore(0)
        self.processes = [
            multiprocessing.Process(target=self.follow, args=(pod.address, size, self.caught_up, self.results))
            for _ in range(count)
        ]
        for process in self.processes:
            process.start()
        self.silent = [self.stall(pod.address) for _ in range(stalled)]

    @staticmethod
    def follow(address, size, caught_up, results):
        got = 0

        def enough(piece):
            nonlocal got
            if got < size <= got + len(piece):
                caught_up.release()
            got += len(piece)
            # The agent writes this line at the training's end.
            return b"EXIT_CODE=" in piece[-4096:]

        end = read_stream(address, 0, enough)
        results.put((end, time.monotonic()))

    @staticmethod
    def stall(address):
        """Opens a client that asks for the log and never reads."""
        connection = socket.create_connection(address)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(f"GET /v1/log?follow=1&from=0 HTTP/1.1\r\nHost: x\r\nX-Pod-Agent-Token: {TOKEN}\r\n\r\n".encode())
        return connection

    def catch_up(self):
        """Waits until each follower has `size` bytes. Once a pod ends, its followers have only 5 s for the rest."""
        for _ in self.processes:
            if not self.caught_up.acquire(timeout=300):
                raise TimeoutError("a follower does not have the whole log after 300 s")

    def finish(self):
        """Returns the bytes that each follower got, and the time at which the last one had all."""
        ends = [self.results.get(timeout=600) for _ in self.processes]
        for process in self.processes:
            process.join()
        for connection in self.silent:
            connection.close()
        return [end for end, _ in ends], max((at for _, at in ends), default=0)
