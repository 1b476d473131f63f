"""What `library add` shows while it works: a bar in a terminal, lines in a log, JSON for programs."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from airledger.cli.output import print_json

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from airledger.recognition.enrol import Enrolment
    from airledger.recognition.runs import RunLog

Style = Literal["progress", "json", "quiet"]

LINE_EVERY_S = 5.0
MINUTE_S, HOUR_S = 60, 3_600


class Report:
    """Shows a run as it goes."""

    def __init__(self, run: "RunLog", *, style: Style) -> None:
        self._run = run
        self._style = style
        self._bar: tuple[Progress, TaskID] | None = None
        self._line_s = time.monotonic()

    def tell(self, one: "Enrolment") -> None:
        """Show what became of a file."""
        if self._style == "json":
            print_json(one)
            return
        if self._bar is not None:
            progress, task = self._bar
            progress.update(task, completed=self._run.done, rate=self.rate())
        elif self._style == "progress" and time.monotonic() - self._line_s >= LINE_EVERY_S:
            self._line_s = time.monotonic()
            sys.stderr.write(f"{self._run.done} of {self._run.files} files, {self.rate()}\n")
        if one.outcome == "refused":
            self._say(one.reason)

    def rate(self) -> str:
        """Tell how fast it goes and how long it will take: `214 x real time, 1.5 files/s, 3 min left`."""
        run = self._run
        elapsed_s = max(run.elapsed_s, 1e-3)
        left = "" if run.left_s is None else f", {duration(run.left_s)} left"
        return f"{run.audio_s / elapsed_s:,.0f} x real time, {run.done / elapsed_s:,.1f} files/s{left}"

    def summary(self) -> str:
        """Tell what the run did."""
        counts = self._run.counts
        parts = [f"{counts['enrolled']} enrolled"]
        parts += [f"{counts[name]} {name}" for name in ("renewed", "new") if counts[name]]
        parts += [f"{counts['known']} known before", f"{counts['refused']} refused"]
        hours = self._run.audio_s / HOUR_S
        took = f" ({hours:.1f} h of sound in {duration(self._run.elapsed_s)})" if self._run.audio_s else ""
        return ", ".join(parts) + took

    def __enter__(self) -> Self:
        if self._style == "progress" and sys.stderr.isatty():
            self._bar = _bar(self._run.files)
            self._bar[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar[0].stop()

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar[0].console.print(text, style="red", markup=False)
        else:
            sys.stderr.write(text + "\n")


def _bar(files: int) -> "tuple[Progress, TaskID]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("enrolling"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    return progress, progress.add_task("enrol", total=files, rate="")


def duration(seconds: float) -> str:
    """Show a duration as people say it: `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    hours, rest = divmod(round(seconds / MINUTE_S), MINUTE_S)
    return f"{hours} h {rest} min"
