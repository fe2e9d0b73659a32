"""A real Chromium against the running demo. Nothing here may be skipped when REQUIRE=browser."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.demo_process import DemoProcess

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 740}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    process = DemoProcess(tmp_path_factory.mktemp("demo"))
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=list(FLAGS))
        yield browser
        browser.close()


def show(page: Page, size: ViewportSize, scheme: Literal["light", "dark"]) -> None:
    """Turn an open page into what another screen shows: no script of ours asks for its size or scheme."""
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    # Links and buttons fade into their new colours.
    page.evaluate("document.getAnimations().forEach(animation => animation.finish())")


@dataclass
class Visit:
    """One person's browser. `complaints` are what the browser said against our pages: blocked by CSP, script errors."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        # A refusal's own status is not a complaint against the page.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.complaints.append(text)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    contexts = []

    def make(*, javascript: bool = True, viewport: Any = DESKTOP, scheme: Any = "light") -> Visit:
        context = chromium.new_context(
            java_script_enabled=javascript,
            viewport=viewport,
            color_scheme=scheme,
            locale="en-GB",
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        made = Visit(context, context.new_page())
        made.watch()
        return made

    yield make
    for context in contexts:
        context.close()
