"""docs/report.png: the report of the study's exploration as Chromium shows it."""

import argparse
import shutil
import tempfile
from pathlib import Path

from tables import ROOT

from hwact.explore import Store
from hwact.explore.report import write

PICTURE = ROOT / "docs" / "report.png"


def main():
    """Make the page of a store, and its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", metavar="DIR", help="folder of an exploration, such as that of study.py --store")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE, help="PNG file; docs/report.png if left out")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Chromium must be installed")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, Store(arguments.store) as store, sync_playwright() as playwright:
        page_file = Path(folder, "report.html")
        write(store.rows(), store.packed_curves(), page_file, "The study of trade-offs")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1040})
        page.goto(page_file.as_uri())
        page.wait_for_selector("#sheet .plot .main-svg")
        # A unit of few segments, which can be told apart in the picture.
        page.locator("tbody tr", has_text="SQ1.7").filter(has_text="pwl").first.click()
        page.wait_for_selector("#sheet .plot .main-svg")
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(500)
        page.screenshot(path=arguments.output)
        browser.close()


if __name__ == "__main__":
    main()
