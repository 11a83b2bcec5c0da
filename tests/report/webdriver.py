"""A headless Chromium, spoken to in the W3C's WebDriver protocol.

https://www.w3.org/TR/webdriver2/  https://developer.chrome.com/docs/chromedriver
"""

import base64
import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

MISSING = next(
    (f"{name} is not here" for name in ("chromium", "chromedriver") if not which(name)), ""
)
"""Why there is no browser; empty where there is one."""

PHONE = {"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2.0, "touch": True}}
"""of chromedriver's mobileEmulation"""


class Browser:
    """One page at a time."""

    def __init__(self, session_url: str) -> None:
        self._session_url = session_url

    def open(self, file: Path, *, dark: bool = False) -> None:
        """Loads the page, which draws its charts before it is loaded.

        The driver's answer alone is not enough: on a loaded machine it came before a long page was
        complete.
        """
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._cdp("Emulation.setEmulatedMedia", {"features": [scheme]})
        url = file.resolve().as_uri()
        call(f"{self._session_url}/url", {"url": url})
        while self.run("return [document.readyState, location.href]") != ["complete", url]:
            time.sleep(0.05)

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of a JavaScript function returns in the page."""
        return call(f"{self._session_url}/execute/sync", {"script": script, "args": arguments})

    def tooltip(self, chart: str, bar: int) -> str:
        """What the chart shows while the mouse is over that bar."""
        self._mouse("mouseMoved", *self._place_of(chart, bar))
        shown: str = self.run(
            "const tip = document.querySelector(`#${arguments[0]} .tip`);"
            "return tip.hidden ? '' : tip.textContent",
            chart,
        )
        return shown

    def drag(self, chart: str, bar: int, to_bar: int) -> None:
        """Draws with the mouse over the chart, from the middle of one bar to that of another."""
        self._mouse("mousePressed", *self._place_of(chart, bar))
        x, y = self._place_of(chart, to_bar)
        self._mouse("mouseMoved", x, y)
        self._mouse("mouseReleased", x, y)

    def _place_of(self, chart: str, bar: int) -> tuple[float, float]:
        x, y = self.run(
            "const chart = document.getElementById(arguments[0]);"
            "chart.scrollIntoView({ block: 'center' });"
            "const box = chart.querySelectorAll('.bar')[arguments[1]].getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]",
            chart,
            bar,
        )
        return x, y

    def _mouse(self, event: str, x: float, y: float) -> None:
        pressed = {} if event == "mouseMoved" else {"button": "left", "clickCount": 1}
        self._cdp("Input.dispatchMouseEvent", {"type": event, "x": x, "y": y, **pressed})

    def read_aloud(self) -> list[str]:
        """The texts of the page that a screen reader gets, in their order."""
        nodes = self._cdp("Accessibility.getFullAXTree", {})["nodes"]
        shown = (one for one in nodes if not one["ignored"])
        return [one["name"]["value"] for one in shown if one["role"]["value"] == "StaticText"]

    def said(self) -> list[str]:
        """On the console since it was asked last."""
        entries = call(f"{self._session_url}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries]

    def asked_for(self) -> list[str]:
        """The URLs of all requests since it was asked last."""
        entries = call(f"{self._session_url}/se/log", {"type": "performance"})
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def screenshot(self, *, height: int) -> bytes:
        """A PNG of the top of the page."""
        clip = {"x": 0, "y": 0, "width": self.run("return innerWidth"), "height": height}
        taken: str = self._cdp(
            "Page.captureScreenshot",
            {"captureBeyondViewport": True, "clip": {**clip, "scale": 1}},
        )["data"]
        return base64.b64decode(taken)

    def _cdp(self, command: str, parameters: Mapping[str, Any]) -> Any:
        return call(f"{self._session_url}/goog/cdp/execute", {"cmd": command, "params": parameters})


@contextmanager
def browser(*, mobile: Mapping[str, Any] | None = None) -> Iterator[Browser]:
    """Starts chromedriver on a free port, and through it Chromium; ends both."""
    options: dict[str, Any] = {
        "binary": which("chromium"),
        "args": ["--headless=new", "--window-size=1200,1000", "--disable-gpu", "--hide-scrollbars"],
    }
    if os.geteuid() == 0:
        options["args"].append("--no-sandbox")  # which Chromium does not have for root
    if mobile:
        options["mobileEmulation"] = mobile
    capabilities = {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    with subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as driver:
        try:
            assert driver.stdout is not None
            started = (re.search(r"on port (\d+)\.", line) for line in driver.stdout)
            port = next(found[1] for found in started if found)
            root = f"http://127.0.0.1:{port}/session"
            session = call(root, {"capabilities": {"alwaysMatch": capabilities}})
            session_url = f"{root}/{session['sessionId']}"
            try:
                yield Browser(session_url)
            finally:
                call(session_url, method="DELETE")
        finally:
            driver.terminate()


def call(url: str, body: Mapping[str, Any] | None = None, *, method: str = "POST") -> Any:
    request = urllib.request.Request(
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(error.read().decode()) from error
