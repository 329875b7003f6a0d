"""The readers' page in a browser: it plays, keys answer, and what was pressed is what is saved."""

import csv
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medaug.study.readers import judge, read_answers, read_key, write_page
from medaug.study.readers._clips import CINES, clip

from .test_readers import MS, SIZE, cines, stills

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--remote-debugging-pipe", "about:blank"),
)
CODES = {" ": (32, " "), "Enter": (13, "\r"), "Backspace": (8, "")} | {
    f"Arrow{way}": (code, "")
    for way, code in {"Left": 37, "Up": 38, "Right": 39, "Down": 40}.items()
}
SECONDS = 60


class Browser:
    """Chromium by its own protocol: JSON over two pipes, each message ended by a zero byte."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None
        ours, theirs = os.pipe(), os.pipe()
        self._out, self._in = ours[1], theirs[0]
        quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
        pipes = [(os.POSIX_SPAWN_DUP2, ours[0], 3), (os.POSIX_SPAWN_DUP2, theirs[1], 4)]
        assert min(ours[0], theirs[1]) > 4 or ours[0] == 3  # one would close the other
        self._process = os.posix_spawn(
            CHROMIUM,
            [CHROMIUM, f"--user-data-dir={folder / 'profile'}", *FLAGS],
            os.environ,
            file_actions=[*quiet, *pipes],
            setpgroup=0,
        )
        os.close(ours[0])
        os.close(theirs[1])
        self._number, self._rest, self._session = 0, b"", ""
        self.saved = folder / "saved"
        self.saved.mkdir()
        self("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.saved))
        page = next(
            one for one in self("Target.getTargets")["targetInfos"] if one["type"] == "page"
        )
        self._session = self("Target.attachToTarget", targetId=page["targetId"], flatten=True)[
            "sessionId"
        ]
        self.requests: list[str] = []
        self("Network.enable")

    def __call__(self, method: str, **values: Any) -> dict[str, Any]:
        """Ask for something, and wait for the answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": values}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("method") == "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])
            if told.get("id") == self._number:
                assert "error" not in told, told["error"]
                return dict(told["result"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], SECONDS)
            assert ready, "Chromium says nothing"
            got = os.read(self._in, 2**16)
            assert got, "Chromium has ended"
            self._rest += got
        one, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(one))

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives."""
        found = self("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until it is true."""
        end = time.monotonic() + SECONDS
        while not self.value(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        """Press and release keys, one after the other."""
        for key in keys:
            code, text = CODES.get(key, (ord(key[0].upper()), key))
            press = {"key": key, "windowsVirtualKeyCode": code}
            self("Input.dispatchKeyEvent", type="keyDown", text=text, **press)
            self("Input.dispatchKeyEvent", type="keyUp", **press)

    def open(self, page: Path) -> None:
        """Show a file."""
        self.value("before = true")  # the page before may answer for a while
        self("Page.navigate", url=page.resolve().as_uri())
        self.until("typeof before === 'undefined' && document.readyState === 'complete'")

    def close(self) -> None:
        """End it, and wait for its end."""
        self._session = ""
        with suppress(AssertionError, OSError):
            self("Browser.close")
        end = time.monotonic() + 10
        while os.waitpid(self._process, os.WNOHANG) == (0, 0):
            if time.monotonic() > end:
                os.killpg(self._process, signal.SIGKILL)
            time.sleep(0.05)
        os.close(self._in)
        os.close(self._out)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    one = Browser(tmp_path_factory.mktemp("browser"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four cines of five frames."""
    folder = tmp_path_factory.mktemp("study")
    cines(folder / "real", 2, seed=1)
    cines(folder / "synthetic", 2, seed=2)
    write_page(folder / "real", folder / "synthetic", folder / "made", number=4)
    return folder


@pytest.fixture
def fresh(browser: Browser, study: Path) -> Browser:
    """The page as a reader opens it who has never seen it."""
    browser.open(study / "made" / "reader_study.html")
    browser.value("reader = ''; store(); localStorage.clear()")
    browser.open(study / "made" / "reader_study.html")
    return browser


def typed(browser: Browser, code: str) -> None:
    browser.until("document.activeElement.id === 'code'")
    browser.press(*code, "Enter")


def visible(browser: Browser) -> str:
    return str(browser.value("[...document.querySelectorAll('section')].find(s => !s.hidden).id"))


def saved(browser: Browser, name: str) -> list[dict[str, str]]:
    end = time.monotonic() + SECONDS
    path = browser.saved / name
    while not path.exists():
        assert time.monotonic() < end, f"{name} was never saved"
        time.sleep(0.02)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    path.unlink()
    return rows


def test_sequences_play_at_their_rate(fresh: Browser) -> None:
    """All frames come, in order and round and round, and as long as the file says."""
    typed(fresh, "R1")
    fresh.until("'frame' in canvas.dataset")
    fresh.value(
        "seen = []; new MutationObserver(() => seen.push([performance.now(), frame]))"
        ".observe(canvas, {attributeFilter: ['data-frame']})"
    )
    fresh.until("seen.length > 12")
    times, frames = np.array(fresh.value("seen")).T
    steps = np.diff(frames) % 5
    assert set(frames) == {0, 1, 2, 3, 4}
    assert fresh.value("cases.map(c => [c.frames, c.ms])") == [[5, MS]] * 4
    # a busy machine may leave out frames, but the pace stays
    assert np.median(np.diff(times) / np.maximum(steps, 1)) == pytest.approx(MS, rel=0.3)


def test_frames_are_those_of_the_files(fresh: Browser, study: Path) -> None:
    """Level by level, in the order that the key tells, stepped through by arrow keys."""
    made = [clip(path, CINES, SIZE) for path in sorted(study.glob("[rs]*/*.nii.gz"))]
    key = json.loads((study / "made" / "key.json").read_text())
    by_hash = {one.source_id: one.frames for one in made}
    typed(fresh, "R1")
    fresh.until("'frame' in canvas.dataset")
    fresh.press(" ")
    assert fresh.value("playing") is False
    shown = int(fresh.value("frame"))
    for index in (*range(shown + 1, 5), *range(5)):
        fresh.press("ArrowRight")
        assert fresh.value("+canvas.dataset.frame") == index
        pixels = fresh.value("[...context.getImageData(0, 0, size, size).data]")
        levels = np.array(pixels, dtype=np.uint8).reshape(SIZE, SIZE, 4)[..., 0]
        np.testing.assert_array_equal(levels, by_hash[key["cases"][0]["source_id"]][index])
    fresh.press("ArrowLeft")
    assert fresh.value("at('frame').textContent") == "frame 4 of 5"
    fresh.press(" ")
    fresh.until("frame === 1")


def test_what_is_pressed_is_what_is_saved_and_read(fresh: Browser, study: Path) -> None:
    """The whole circle: page, keyboard, CSV, result; with a change of mind and a way back."""
    typed(fresh, "R1")
    presses = ["42r", "55s", "13r", "21s"]
    for keys in presses:
        fresh.press(*keys, "Enter")
    assert visible(fresh) == "end", fresh.value("JSON.stringify([place, answers, reader])")
    fresh.press("Backspace", "Backspace")
    assert fresh.value("at('place').textContent") == "Case 3 of 4"
    fresh.press("ArrowUp", "ArrowUp", "2", "s")  # realism 2, then another guess
    fresh.press("Enter", "Enter")
    assert visible(fresh) == "end"
    fresh.value("at('save-all').click()")
    key = read_key(study / "made" / "key.json")
    name = f"reader_study_{key.study}_R1.csv"
    rows = saved(fresh, name)
    assert [list(row)[:-1] for row in rows[:1]] == [
        ["study", "case", "reader", "realism", "consistency", "guess"]
    ]
    found = [(r["case"], r["realism"], r["consistency"], r["guess"]) for r in rows]
    assert found == [
        ("1", "4", "2", "real"),
        ("2", "5", "5", "synthetic"),
        ("3", "2", "3", "synthetic"),
        ("4", "2", "1", "synthetic"),
    ]
    assert all(0 <= float(row["seconds"]) < SECONDS for row in rows)
    fresh.value("save()")
    saved_again = fresh.saved / name
    fresh.until("!at('said').hidden")
    while not saved_again.exists():
        time.sleep(0.02)
    answers = read_answers(key, [saved_again])
    saved_again.unlink()
    assert answers.realism.tolist() == [[4, 5, 2, 2]]
    right = np.mean(np.array([True, False, False, False]) == key.real)
    assert judge(key, answers).told.all.value == right


def test_closing_the_page_loses_nothing(fresh: Browser, study: Path) -> None:
    """Half an answer is there again; another reader begins anew, and the first one goes on."""
    typed(fresh, "R1")
    fresh.press(*"42r", "Enter", "3")
    fresh.open(study / "made" / "reader_study.html")
    assert visible(fresh) == "case"
    assert fresh.value("at('place').textContent") == "Case 2 of 4"
    assert fresh.value("[reader, active, answers[0].guess]") == ["R1", 1, "real"]
    assert fresh.value("answers[1].realism") == "3"
    fresh.value("at('other').click()")
    typed(fresh, "constructor")  # a word that JavaScript's objects know
    assert fresh.value("answers.filter(complete).length") == 0
    fresh.value("at('other').click()")
    fresh.open(study / "made" / "reader_study.html")
    assert visible(fresh) == "start"
    typed(fresh, "R1")
    assert fresh.value("answers.filter(complete).length") == 1


def test_a_case_needs_all_three_answers(fresh: Browser) -> None:
    """Enter stays where it is, and says why; what is saved too early holds whole cases only."""
    typed(fresh, "R2")
    fresh.press("4", "Enter")
    assert fresh.value("at('said').textContent") == "Please answer all three questions first."
    assert fresh.value("at('place').textContent") == "Case 1 of 4"
    fresh.press("6", "0", "x")  # keys of nothing
    assert fresh.value("answers[0].consistency === undefined")
    fresh.press("1", "s", "Enter", "5")
    fresh.value("at('save').click()")
    assert "It holds 1 of 4 cases." in fresh.value("at('said').textContent")
    study = fresh.value("study")
    assert [row["case"] for row in saved(fresh, f"reader_study_{study}_R2.csv")] == ["1"]


@pytest.mark.parametrize("code", ["", "-1", "Ann Smith", "a,b"])
def test_a_code_that_is_none_is_refused(fresh: Browser, code: str) -> None:
    """Nothing begins without a reader's code."""
    typed(fresh, code)
    assert visible(fresh) == "start"


def test_the_mouse_answers_too(fresh: Browser) -> None:
    """And Space plays on after a click, since the button doesn't keep the focus."""
    typed(fresh, "R3")
    fresh.until("'frame' in canvas.dataset")
    for name, value in (("realism", 2), ("consistency", 5), ("guess", "synthetic")):
        box = fresh.value(
            f"b = document.querySelector('[data-name={name}][data-value=\"{value}\"]');"
            "b.scrollIntoView({behavior: 'instant'}); r = b.getBoundingClientRect();"
            "[r.x + 5, r.y + 5]"
        )
        for kind in ("mousePressed", "mouseReleased"):
            fresh(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box[0],
                y=box[1],
                button="left",
                clickCount=1,
            )
    chosen = "[...document.querySelectorAll('[aria-pressed=true]')].map(b => b.dataset.value)"
    assert fresh.value(chosen) == ["2", "5", "synthetic"]
    fresh.press(" ")
    assert fresh.value("playing") is False
    assert fresh.value(chosen) == ["2", "5", "synthetic"]


def test_nothing_is_asked_of_the_network(fresh: Browser) -> None:
    """The page's own file and what it holds, all the way through, even where a script would."""
    fresh.requests.clear()
    fresh.value("fetch('https://example.org').catch(() => {}); 0")
    typed(fresh, "R1")
    fresh.press(*"42r", "Enter")
    fresh.until("'frame' in canvas.dataset")
    assert {url.split(":")[0] for url in fresh.requests} <= {"data", "file"}


def test_nothing_is_wider_than_a_phone(fresh: Browser) -> None:
    """No sideways scrolling at 360 pixels; at a desk, all is seen at once."""
    typed(fresh, "R1")
    metrics = {"deviceScaleFactor": 1, "mobile": False}
    try:
        fresh("Emulation.setDeviceMetricsOverride", width=360, height=740, **metrics)
        assert fresh.value("document.documentElement.scrollWidth") <= 360
        fresh("Emulation.setDeviceMetricsOverride", width=1280, height=800, **metrics)
        assert fresh.value("document.documentElement.scrollHeight") <= 800
    finally:
        fresh("Emulation.clearDeviceMetricsOverride")


def test_stills_are_asked_about_without_a_player(browser: Browser, tmp_path: Path) -> None:
    """Images of one frame: nothing to pause, and another question."""
    stills(tmp_path / "real", 2, seed=1)
    stills(tmp_path / "synthetic", 2, seed=2)
    made = write_page(
        tmp_path / "real", tmp_path / "synthetic", tmp_path / "made", number=4, kind="images"
    )
    browser.open(made.page)
    typed(browser, "R1")
    browser.until("'frame' in canvas.dataset")
    assert browser.value("document.getElementById('play')") is None
    browser.press("ArrowRight", " ", *"35s")
    assert browser.value("complete(answers[0])")
    assert "anatomy" in browser.value("document.body.innerText")
