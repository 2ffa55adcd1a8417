"""Processor time as a pod has it."""

import sys
from pathlib import Path

from pod import wait_for


class ControlGroup:
    """A group of processor time for all that is started inside, as a container has one. Root alone may make it.

    Without one the kernel gives each session an equal share, and priorities count only inside of one, sched(7): a training would compete
    with the agent's compressor as with a whole program.
    """

    def __enter__(self):
        self.path = Path("/sys/fs/cgroup/cpu/pod-agent-bench")
        try:
            self.path.mkdir(exist_ok=True)
            # So much that whatever else runs takes little of it.
            (self.path / "cpu.shares").write_text("20480")
            (self.path / "tasks").write_text("0")
        except OSError as error:
            print(f"bench: not in a control group of its own, as a pod is: {error}", file=sys.stderr)
            self.path = None

    def __exit__(self, *_):
        if self.path:
            (self.path.parent / "tasks").write_text("0")
            wait_for(lambda: not (self.path / "tasks").read_text(), "end of all")
            self.path.rmdir()
