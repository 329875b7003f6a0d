"""One line that says how far a study is, and for how long it will go on."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

REST = 60.0
"""Seconds between lines where a line can't be written over."""


class Progress:
    """Counts what is done, and guesses the rest from how good the guesses were so far.

    Args:
        stream: where to; a terminal's line is written over.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.began = time.monotonic()
        self.total = 0
        self.done = 0
        self.left: dict[str, float] = {}
        self._guessed = self._taken = 0.0
        self._running: dict[str, float] = {}
        self._last = -REST
        self._lock = threading.Lock()

    def plan(self, guesses: dict[str, float]) -> None:
        """What there is to do, with seconds that each thing may take."""
        self.left |= guesses
        self.total = self.done + len(self.left)

    @contextmanager
    def doing(self, name: str) -> Iterator[None]:
        """One of the things that were planned."""
        with self._lock:
            began = self._running[name] = time.monotonic()
        self.tick(now=True)
        try:
            yield
        finally:
            with self._lock:
                del self._running[name]
                guess = self.left.pop(name, None)
                self.done += guess is not None
                if guess is not None:
                    self._guessed += guess
                    self._taken += time.monotonic() - began
            self.tick(now=True)

    def drop(self, name: str) -> None:
        """A thing that won't be done."""
        self.left.pop(name, None)
        self.done += 1

    def seconds_left(self) -> float:
        """A guess."""
        now = time.monotonic()
        ratio = self._taken / self._guessed if self._guessed and self._taken else 1.0
        parallel = max(1, len(self._running))
        gone = {name: now - began for name, began in self._running.items()}
        rest = sum(
            max(0.0, guess * ratio - gone.get(name, 0.0)) for name, guess in self.left.items()
        )
        return rest / parallel

    def tick(self, *, now: bool = False) -> None:
        """Write the line: on a terminal each time, elsewhere once a minute or when `now`."""
        terminal = self.stream.isatty()
        with self._lock:
            if not terminal and not now and time.monotonic() - self._last < REST:
                return
            self._last = time.monotonic()
            text = self.line()
            self.stream.write(f"\r\x1b[2K{text}" if terminal else f"{text}\n")
            self.stream.flush()

    def line(self) -> str:
        """Done, of how many, what is being done, and times."""
        doing = ", ".join(self._running) or "reading and scoring"
        gone = clock(time.monotonic() - self.began)
        return f"study: {self.done} of {self.total} done; {doing}; {gone} gone, about " + (
            f"{clock(self.seconds_left())} left"
        )

    def end(self) -> None:
        """Leave the line."""
        if self.stream.isatty():
            self.stream.write("\n")


def clock(seconds: float) -> str:
    """Hours, minutes and seconds: 1:02:03."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
