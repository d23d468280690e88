"""The report in a real browser: on a phone and on a desk, light and dark, and on paper."""

import shutil
from pathlib import Path

import pytest

from flarecast.chain import run_all
from flarecast.config import load_config
from flarecast.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
RAW = ROOT / "../shared/data/noaa_daily"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine"),
]

OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width > 0 && !e.closest("svg") && (box.right > innerWidth + 0.5 || box.left < -0.5);
}).map(e => e.outerHTML.slice(0, 120))"""

CLIPPED = """() => [...document.querySelectorAll("figure svg")].flatMap(svg => {
  const paper = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter(e => {
    const box = e.getBoundingClientRect();
    return box.right > paper.right + 8 || box.left < paper.left - 8;
  }).map(e => svg.getAttribute("aria-label") + ": " + e.textContent);
})"""

FLAT = """() => [...document.querySelectorAll("figure")].filter(e => {
  const part = e.querySelector("svg") || e.querySelector(".absent");
  const box = part.getBoundingClientRect();
  return box.width < 100 || box.height < 20;
}).map(e => e.id)"""

PALE = """() => {
  const numbers = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")].filter(e => {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    return own && !["STYLE", "TITLE"].includes(e.tagName) && e.getBoundingClientRect().width > 0;
  }).filter(e => {
    const style = getComputedStyle(e);
    const pair = [light(numbers(e.closest("svg") ? style.fill : style.color)), light(ground(e))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05) < 4.5;
  }).map(e => e.outerHTML.slice(0, 160));
}"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    if not RAW.is_dir():
        pytest.skip("no real data on this machine")
    folder = tmp_path_factory.mktemp("disk")
    made = RunFolder(folder / "disk", folder / "windows.nc")
    run_all(load_config(ROOT / "configs/disk.toml"), RAW, made)
    return made


@pytest.fixture(params=["simulated", "disk"])
def report(request, run):
    return run.report if request.param == "simulated" else request.getfixturevalue("disk").report


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_overflows_everything_can_be_read_and_nothing_is_fetched(browser, report, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate("document.querySelectorAll('figure svg').length") >= 15
    assert page.evaluate(FLAT) == []
    assert page.evaluate(PALE) == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == 1
    assert said == []
    page.close()


def test_it_prints_to_pdf(browser, report):
    page = browser.new_page()
    page.goto(report.as_uri())
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert len(printed) > 50_000
    page.close()


def test_the_checks_find_what_is_planted(browser, run):
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(run.report.as_uri())
    page.evaluate(
        """() => {
          const wide = document.createElement("p");
          wide.textContent = "wide"; wide.style = "width: 500px; max-width: none; color: #bbb";
          document.body.append(wide);
          const text = document.querySelector("figure svg text");
          text.setAttribute("transform", "translate(2000 0)");
        }"""
    )
    assert len(page.evaluate(OVERFLOWING)) == 1
    assert len(page.evaluate(CLIPPED)) == 1
    assert len(page.evaluate(PALE)) == 1
    page.close()
