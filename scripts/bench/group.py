"""Processor time shared as in a pod."""

import sys
from pathlib import Path

from pod import wait_for


class ControlGroup:
    """A control group for the processor time of all that is started inside, as a container has one. Only root may make
    it.

    Without it the kernel gives each session an equal share, and priorities count only within a session, sched(7). The
    training would then compete with the agent's compressor as with a program of equal rank.
    """

    def __enter__(self):
        self.path = Path("/sys/fs/cgroup/cpu/pod-agent-bench")
        try:
            self.path.mkdir(exist_ok=True)
            # 20 times the usual share, so that other programs take little.
            (self.path / "cpu.shares").write_text("20480")
            (self.path / "tasks").write_text("0")
        except OSError as error:
            print(f"bench: could not make a control group, so processors are not shared as in a pod: {error}", file=sys.stderr)
            self.path = None

    def __exit__(self, *_):
        if self.path:
            (self.path.parent / "tasks").write_text("0")
            wait_for(lambda: not (self.path / "tasks").read_text(), "end of all processes")
            self.path.rmdir()
