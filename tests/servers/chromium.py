"""A page in a real, headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .need import need_module, need_program

INSTALL = "apt-get install chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def browser_page() -> Iterator[Any]:
    """A ``playwright`` page of a browser of its own, 1280 × 900.

    While the block is open an event loop counts as running in this thread, so that a Prefect flow cannot be called in it: run flows before.
    """
    playwright = need_module("playwright.sync_api", "pip install playwright")
    program = need_program(NAMES[0], INSTALL, or_else=NAMES[1:])
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=list(FLAGS), headless=True)
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 900})
        finally:
            browser.close()
