"""What the installation itself keeps: which workers are alive."""

from __future__ import annotations

import datetime as dt
import os
import socket
from pathlib import Path

from django.db import models
from django.utils import timezone

SILENT_FOR = dt.timedelta(seconds=60)


def this_machine() -> str:
    """A name for this machine since it was last started, so that a process number means something."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()} {boot.read_text().strip() if boot.exists() else ''}".strip()


class Worker(models.Model):
    """A process that works the queue. It says so every few seconds; one that is silent for a minute is dead."""

    id = models.CharField(primary_key=True, max_length=64)
    machine = models.CharField(max_length=200, default=this_machine)
    process = models.PositiveIntegerField(default=os.getpid)
    beat_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"worker {self.id}"

    def is_alive(self) -> bool:
        """False as soon as its process is gone, if it ran on this machine; otherwise once it is silent."""
        if self.machine == this_machine():
            try:
                os.kill(self.process, 0)
            except ProcessLookupError:
                return False
            except PermissionError:
                pass  # a process of somebody else's has, or has got, this number
        return self.beat_at > timezone.now() - SILENT_FOR
