"""`make bench`: latency of the guess after each stroke, and smoothness of drawing on a slow machine."""

import json
import statistics
import tempfile
import time
from collections import Counter
from itertools import pairwise

import flask_migrate
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from mnistweb import config
from mnistweb.app import create_app
from tests.benchmarks.bench import serving
from tests.support.browser.devices import CHROMIUM, CHROMIUM_ARGUMENTS, DESKTOP
from tests.support.browser.hand import places, press, until
from tests.support.drawings import STROKES

ROUNDS = 2
CPU_SLOWDOWN = 6
RUNS = 3
# Pauses of a hand before the next stroke, and before and after the key that clears the slate.
SECONDS_BETWEEN_STROKES = 0.15
SECONDS_BETWEEN_DIGITS = 0.5
# Clears the guess when the pen is lifted, so that an unchanged guess is noticed too.
GUESS_OBSERVER = """
    const line = document.querySelector("[data-guess]");
    let lifted = 0;
    window.waits = [];
    addEventListener("pointerup", (event) => {
        lifted = event.timeStamp;
        line.textContent = "";
    }, { capture: true });
    new MutationObserver(() => {
        if (!lifted || !line.textContent) return;
        const since = lifted;
        lifted = 0;
        requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => waits.push(performance.now() - since);
            port2.postMessage(null);
        });
    }).observe(line, { childList: true });
"""


def draw(page: Page, session: CDPSession, digit: int) -> None:
    """Draw a digit at the pace of a hand: a point in each frame."""

    def mouse(kind: str, place: tuple[float, float], buttons: int) -> None:
        x, y = place
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1}
        session.send("Input.dispatchMouseEvent", event)

    for points in STROKES[digit]:
        ends = list(pairwise(points))
        fine = [
            (x + (to_x - x) * part / 10, y + (to_y - y) * part / 10)
            for (x, y), (to_x, to_y) in ends
            for part in range(10 if len(ends) < 5 else 1)
        ]
        first, *rest = places(page, [*fine, points[-1]])
        mouse("mousePressed", first, 1)
        due = time.perf_counter()
        for place in rest:
            due += 1 / 60
            time.sleep(max(0.0, due - time.perf_counter()))
            mouse("mouseMoved", place, 1)
        mouse("mouseReleased", rest[-1], 0)
        time.sleep(SECONDS_BETWEEN_STROKES)


def waits(browser: Browser, url: str) -> list[float]:
    """Measure the milliseconds from lifting the pen to the frame with the guess, for each digit."""
    page = browser.new_page(base_url=url, **DESKTOP)
    page.goto("/")
    page.evaluate(GUESS_OBSERVER)
    session = page.context.new_cdp_session(page)
    for _ in range(ROUNDS):
        for digit in STROKES:
            before = page.evaluate("waits.length")
            draw(page, session, digit)
            until(page, f"waits.length > {before}")
            page.wait_for_timeout(100)
            press(page, "Clear")
    found: list[float] = page.evaluate("waits")
    page.close()
    return found


def frames(browser: Browser, url: str, guessing: bool) -> Counter[str]:
    """Count the frames by state while drawing and clearing, slowed down, from the browser's own trace."""
    page = browser.new_page(base_url=url, **DESKTOP)
    page.goto("/")
    # Set in the page's storage: a click on the switch would leave the driver's listeners for each move.
    page.evaluate("wanted => localStorage.setItem('guess', wanted)", "on" if guessing else "off")
    page.reload()
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
    draw(page, session, 3)
    page.wait_for_timeout(1000)
    browser.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline.frame"])
    for digit in (8, 0, 5, 3) * 2:
        draw(page, session, digit)
        time.sleep(SECONDS_BETWEEN_DIGITS)
        page.keyboard.press("Escape")
        time.sleep(SECONDS_BETWEEN_DIGITS)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    page.close()
    reports = [
        event["args"] for event in events if event["name"] == "PipelineReporter" and event["ph"] == "b"
    ]
    # The key's name depends on how the browser was built.
    return Counter(
        (report.get("frame_reporter") or report["chrome_frame_reporter"])["state"] for report in reports
    )


def share_in_time(found: Counter[str]) -> float:
    """Return the share of expected frames that were shown."""
    came = found["STATE_PRESENTED_ALL"] + found["STATE_PRESENTED_PARTIAL"]
    return came / (came + found["STATE_DROPPED"])


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = {
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "INSTANCE_PATH": folder,
            "SECRET_KEY": "only for this benchmark",
        }
        with create_app(config.environment() | settings).app_context():
            flask_migrate.upgrade()
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=CHROMIUM_ARGUMENTS,
        )
        with serving("wsgi:app", settings) as port:
            url = f"http://127.0.0.1:{port}"
            times = sorted(waits(browser, url))
            print(f"From lifting the pen to the guess on screen, {len(times)} digits, milliseconds")
            print(
                f"  median {statistics.median(times):6.1f}   90 % within {times[len(times) * 9 // 10]:6.1f}"
            )
            print(
                f"\nFrames while drawing, the page's processor slowed {CPU_SLOWDOWN} times, that came in time"
            )
            # In turns, so that other load affects both.
            runs = [(guessing, frames(browser, url, guessing)) for guessing in (False, True) * RUNS]
            for guessing, name in ((False, "without guesses"), (True, "with guesses")):
                found = [count for each, count in runs if each is guessing]
                shares = ", ".join(f"{share_in_time(count):.1%}" for count in found)
                print(f"  {name:16} {share_in_time(sum(found, Counter())):7.1%}, run by run {shares}")
        browser.close()


if __name__ == "__main__":
    main()
