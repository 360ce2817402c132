"""The report of an exploration: its text, and how it behaves in a browser."""

import json
import re
import shutil

import pytest
from exploration_rows import HOSTILE, small

from hwact.cli import hwact
from hwact.cli.common import run
from hwact.errors import RequestError
from hwact.explore.axes import axis, enriched, usual_axes
from hwact.explore.report import report, write
from hwact.explore.row import COLUMNS
from hwact.explore.scatter import front_of, scatter
from hwact.explore.store import Store

SIZES = {"phone": (360, 740), "tablet": (820, 1180), "desk": (1440, 900)}


@pytest.fixture(scope="module")
def exploration():
    """Rows and curves."""
    return small()


@pytest.fixture(scope="module")
def page_file(exploration, tmp_path_factory):
    """The page of the exploration."""
    rows, curves = exploration
    path = tmp_path_factory.mktemp("report") / "report.html"
    write(rows, curves, path, 'Some <b>"small"</b> units')
    return path


# -- numbers -----------------------------------------------------------------------------------


def test_errors_compare_across_formats():
    """As real numbers: half an ulp of SQ1.7 is 2^-8."""
    full = enriched({"input": "SQ4.4", "output": "SQ1.7", "bound": "2ulp", "max_error_ulp": 0.5, "luts": 7})
    assert (full["max_error"], full["max_bound"], full["input_bits"], full["luts"]) == (2**-8, 2**-6, 8, 7)
    assert full["fmax_mhz"] is None


def test_a_row_that_failed_for_its_format_is_kept():
    """Nothing follows from it."""
    full = enriched({"input": "SQ99.9", "output": "what", "bound": "none", "max_error_ulp": float("nan")})
    assert full["input_bits"] is full["output_bits"] is full["max_error"] is full["max_error_ulp"] is None


def test_usual_axes_are_what_rows_have():
    """LUTs where measured, else estimated; ulps where one format makes them comparable."""
    done = enriched(
        {"status": "done", "input": "SQ4.4", "output": "SQ1.7", "bound": "1ulp", "luts": 1, "max_error_ulp": 1.0}
    )
    other = {**done, "output": "SQ1.6"}
    estimated = {
        **done,
        "status": "estimated",
        "luts": None,
        "estimated_luts": 3,
        "max_error": None,
        "max_error_ulp": None,
    }
    assert usual_axes([done]) == ("luts", "max_error_ulp")
    assert usual_axes([done, other]) == ("luts", "max_error")
    assert usual_axes([estimated]) == ("estimated_luts", "max_bound")
    assert usual_axes([]) == ("luts", "max_error")


def test_unknown_axis_is_refused():
    """With those that there are."""
    with pytest.raises(RequestError, match="^Axis must be one of luts, .*, not 'size'$"):
        axis("size")


def test_front_keeps_what_nothing_beats():
    """Less area or more speed; equals are kept, what failed and what is worse are not."""

    def point(status, luts, mhz):
        return {"status": status, "luts": luts, "fmax_mhz": mhz}

    done = [(10, 100), (10, 100), (12, 100), (20, 150), (15, 90), (5, None)]
    rows = [point("done", *numbers) for numbers in done]
    estimated = [point("estimated", 1, 900), point("failed", None, None)]
    axes = axis("luts"), axis("fmax_mhz")
    assert front_of(rows + estimated, *axes) == [rows[0], rows[1], rows[3]]
    assert front_of(estimated, *axes) == estimated[:1]


@pytest.mark.parametrize("format, start", [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_picture_is_the_same_twice(exploration, format, start):
    """In every format."""
    rows, _ = exploration
    picture = scatter(rows, format=format, title="$x_1$")
    assert picture.startswith(start) and picture == scatter(rows, format=format, title="$x_1$")


def test_picture_of_nothing_says_so():
    """In place of empty axes."""
    assert b"<svg" in scatter([])


# -- the text ----------------------------------------------------------------------------------


def test_page_is_one_file_that_loads_nothing(page_file):
    """No link, no source; the policy in its head forbids every request."""
    head = page_file.read_text(encoding="utf-8").split("<script", 1)[0]
    assert "default-src 'none'" in head
    assert not re.findall(r"(?:src|href)=[\"'](?!#|data:,)", head)


def test_texts_of_users_are_data(page_file, exploration):
    """They come back from JSON as they were, and nowhere else."""
    text = page_file.read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert [row["function"] for row in data["rows"]] == [row["function"] for row in exploration[0]]
    assert HOSTILE not in text and "<b>" not in text.split("<script", 1)[0]
    assert set(data["curves"]) == set(exploration[1])


def test_same_rows_give_the_same_page(exploration):
    """No date, no path."""
    rows, curves = exploration
    assert report(rows, curves) == report(rows, curves)


def test_three_thousand_points_are_packed_in_seconds(exploration):
    """Curves are kept once a design."""
    rows, curves = exploration
    many = [{**rows[k % len(rows)], "digest": str(k)} for k in range(3000)]
    ticks = []
    text = report(many, curves, tick=lambda done, total: ticks.append((done, total)))
    assert ticks[-1] == (len(curves), len(curves)) and len(ticks) == len(curves) and len(text) < 12_000_000


# -- on the command line -----------------------------------------------------------------------


@pytest.fixture
def folder(exploration, tmp_path):
    """The folder of an exploration."""
    rows, curves = exploration
    with Store(tmp_path / "small", create=True) as store:
        store.add([({**dict.fromkeys(COLUMNS), **row}, curves.get(row["design_digest"])) for row in rows])
    return tmp_path / "small"


def test_report_writes_page_and_pictures(folder, capsys):
    """And says so; curves come from the store."""
    pictures = ["--png", str(folder / "a.png"), "--svg", str(folder / "a.svg")]
    assert run(hwact, ["report", str(folder), *pictures, "--x", "luts", "--y", "fmax_mhz", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"points": 21, "files": [str(folder / name) for name in ("report.html", "a.png", "a.svg")]}
    text = (folder / "report.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert (data["x"], data["y"], len(data["curves"])) == ("luts", "fmax_mhz", 19)
    assert "<title>small</title>" in text
    assert (folder / "a.png").read_bytes()[:4] == b"\x89PNG" and "</svg>" in (folder / "a.svg").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--x", "size"], "Axis must be one of luts, "),
        (["--png", "a.jpg"], "Option --png must name a .png file, not 'a.jpg'"),
        (["-o", "missing/report.html"], "File must be in a folder that exists, not 'missing/report.html'"),
    ],
)
def test_report_refuses_in_one_sentence(folder, monkeypatch, capsys, words, sentence):
    """And writes nothing."""
    monkeypatch.chdir(folder)
    assert run(hwact, ["report", str(folder), *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"hwact: {sentence}") and error.count("\n") == 1
    assert [path.suffix for path in folder.iterdir() if "store" not in path.name] == []


def test_report_of_no_exploration_is_refused(tmp_path, capsys):
    """A folder without a store."""
    assert run(hwact, ["report", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("hwact: Store must be the folder of an exploration, not ")
    assert list(tmp_path.iterdir()) == []


# -- in a browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium without a window."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    playwright_api = pytest.importorskip("playwright.sync_api")
    with playwright_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


class Watched:
    """A page that is opened from a file, and what went wrong in it."""

    def __init__(self, browser, path, size="desk", dark=False):
        width, height = SIZES[size]
        scheme = "dark" if dark else "light"
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri(), timeout=60_000)
        self.page.wait_for_selector("html[data-ready]")

    def __enter__(self):
        return self.page

    def __exit__(self, *error):
        self.context.close()
        if error[0] is None:
            assert self.complaints == []
            assert len(self.requests) == 1 and self.requests[0].startswith("file:")


def sheet_title(page):
    """The function of the datasheet."""
    return page.text_content("#sheet .title")


def shown(page):
    """The digests in the table, in order."""
    return page.eval_on_selector_all("tbody tr[data-digest]", "rows => rows.map(row => row.dataset.digest)")


def column(page, key):
    """The texts of a column of the table."""
    heads = page.eval_on_selector_all("#table th", "heads => heads.map(head => head.dataset.key)")
    return page.eval_on_selector_all(
        f"#table tbody td:nth-child({heads.index(key) + 1})", "cells => cells.map(cell => cell.textContent)"
    )


@pytest.mark.parametrize(
    "size, dark",
    [
        ("phone", True),
        *(
            pytest.param(size, dark, marks=pytest.mark.slow)
            for size, dark in (("tablet", False), ("desk", True), ("phone", False))
        ),
    ],
)
def test_fits_every_size_in_both_themes(browser, page_file, size, dark):
    """Nothing scrolls sideways, the plots are drawn, and the theme is the system's."""
    with Watched(browser, page_file, size, dark) as page:
        page.wait_for_selector("#sheet .plot .main-svg")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.get_attribute("html", "data-theme") == ("dark" if dark else "light")
        widths = page.eval_on_selector_all(
            ".plot .main-svg:first-child", "all => all.map(one => one.getBoundingClientRect().right)"
        )
        assert len(widths) >= 2 and all(0 < right <= SIZES[size][0] for right in widths)


def test_hover_shows_the_spec_and_a_click_the_datasheet(browser, page_file, exploration):
    """Of the point under the pointer, with the command that makes it again."""
    with Watched(browser, page_file) as page:
        page.wait_for_selector("#scatter .points path")
        row = next(row for row in exploration[0] if row["derivative"] == "direct")  # no other is near
        place = page.evaluate(
            """(digest) => {
                const plot = document.getElementById("scatter"), box = plot.getBoundingClientRect();
                const trace = plot.data.find((one) => one.customdata?.includes(digest));
                const k = trace.customdata.indexOf(digest);
                const {xaxis, yaxis, _size} = plot._fullLayout, place = (axis, value) => axis.l2p(Math.log10(value));
                return {x: box.x + _size.l + place(xaxis, trace.x[k]), y: box.y + _size.t + place(yaxis, trace.y[k])};
            }""",
            row["digest"],
        )
        page.mouse.move(place["x"] - 3, place["y"])
        page.mouse.move(place["x"], place["y"])
        hover = page.wait_for_selector("#scatter .hoverlayer .hovertext").text_content()
        assert "tanh" in hover and "derivative direct" in hover and row["input"] in hover and row["bound"] in hover
        page.mouse.click(place["x"], place["y"])
        page.wait_for_selector(f'tr[data-digest="{row["digest"]}"][aria-selected="true"]')
        assert sheet_title(page) == "tanh"
        ring = page.locator("#scatter .shapelayer path").bounding_box()
        middle = ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2
        assert middle == pytest.approx((place["x"], place["y"]), abs=1) and 18 <= ring["width"] <= 32
        assert page.text_content("#sheet pre") == row["command"]
        assert page.evaluate("location.hash") == f"#{row['digest']}"


def test_keyboard_alone_reaches_everything(browser, page_file):
    """Tab to the table, arrows to a row, Enter for its datasheet, a and b for a comparison, arrows on the plot."""
    with Watched(browser, page_file) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.focus("tbody tr[tabindex='0']")
        for key in ("Home", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
            page.keyboard.press(key)
        second = shown(page)[1]
        assert page.get_attribute(f'tr[data-digest="{second}"]', "aria-selected") == "true"
        assert page.evaluate("document.activeElement.dataset.digest") == second
        for key in ("a", "End", "b"):
            page.keyboard.press(key)
        assert page.is_visible("#comparison")
        page.focus("text=Compare as A")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "Compare as A"
        page.focus("#scatter")
        page.keyboard.press("Home")
        least = page.get_attribute('tr[aria-selected="true"]', "data-digest")
        page.keyboard.press("ArrowRight")
        assert page.get_attribute('tr[aria-selected="true"]', "data-digest") != least
        assert page.text_content("#announcement").startswith("Chosen: ")


@pytest.mark.slow
def test_heads_sort_and_say_so(browser, page_file):
    """By numbers as numbers, what is missing last, the other way round at the second click."""
    with Watched(browser, page_file) as page:
        head = page.locator('th[data-key="luts"]')
        head.locator("button").click()
        rising = [int(text) for text in column(page, "luts") if text != "–"]
        assert (
            head.get_attribute("aria-sort") == "ascending"
            and rising == sorted(rising)
            and column(page, "luts")[-1] == "–"
        )
        page.keyboard.press("Enter")
        falling = [int(text) for text in column(page, "luts") if text != "–"]
        assert (
            head.get_attribute("aria-sort") == "descending"
            and falling == rising[::-1]
            and column(page, "luts")[-1] == "–"
        )


def test_filters_narrow_table_and_plot(browser, page_file):
    """By function, status, words and front; Clear brings all back."""
    with Watched(browser, page_file) as page:
        everything = len(shown(page))
        page.select_option("#filter-function", "gelu")
        assert set(column(page, "function")) == {"gelu"}
        assert page.evaluate(
            "document.getElementById('scatter').data.filter((one) => one.customdata).map((one) => one.name)"
        ) == ["gelu"]
        page.fill("#filter-text", "2ulp SQ4.2")
        page.wait_for_function("document.querySelectorAll('tbody tr').length === 1")
        page.click("#filter-clear")
        assert len(shown(page)) == everything
        page.select_option("#filter-status", "failed")
        assert set(column(page, "status")) == {"failed"} and not page.is_visible("#scatter")
        page.locator("tbody tr").first.click()
        assert "must be" in page.text_content("#sheet .reason")
        page.click("#filter-clear")
        page.check("#filter-front")
        assert 0 < len(shown(page)) < everything
        assert all(
            "★" in mark for mark in page.eval_on_selector_all("td.marks", "all => all.map(one => one.textContent)")
        )


@pytest.mark.slow
def test_axes_colour_and_front_can_be_chosen(browser, page_file):
    """The plot follows; where more is better, the front is on that side."""
    with Watched(browser, page_file) as page:
        page.select_option("#axis-y", "fmax_mhz")
        page.select_option("#colour", "")
        page.select_option("#front", "all")
        axes = page.evaluate(
            "(({xaxis, yaxis}) => [xaxis.title.text, yaxis.title.text, yaxis.type])(scatter.layout)"
        )
        assert axes == ["LUTs", "Clock frequency (MHz) · more is better", "linear"]
        page.check("#log-y")
        assert page.evaluate("document.getElementById('scatter').layout.yaxis.type") == "log"
        assert page.locator("td.marks", has_text="★").count() >= 1


@pytest.mark.slow
def test_two_points_side_by_side(browser, page_file):
    """Differences are marked, the better number too, and both error curves are drawn."""
    with Watched(browser, page_file) as page:
        rows = page.locator("tbody tr")
        rows.nth(0).click()
        page.click("text=Compare as A")
        rows.nth(5).click()
        page.click("text=Compare as B")
        page.wait_for_selector("#compared .plot .main-svg")
        marked = page.locator("#compared tr.differs")
        names = marked.locator("th").all_text_contents()
        assert any(name.startswith("Bound") for name in names) and not any(
            name.startswith("Target") for name in names
        )
        assert page.locator("#compared .better").count() >= 1
        titles = page.evaluate("document.querySelector('#compared .plot').layout.annotations.map((one) => one.text)")
        assert [title[:8] for title in titles] == ["<b>A</b>", "<b>B</b>"]
        before = page.locator("#compared tbody tr").count()
        page.check("#differences")
        assert page.locator("#compared tbody tr").count() == marked.count() < before
        page.click("#comparison-close")
        assert not page.is_visible("#comparison")


@pytest.mark.slow
def test_datasheet_draws_function_derivative_segments_and_errors(browser, page_file, exploration):
    """Of a unit with a derivative of its own; of one without, the slopes over the derivative."""
    direct = next(row for row in exploration[0] if row["derivative"] == "direct")
    plain = exploration[0][0]
    with Watched(browser, page_file) as page:
        for row, wanted in ((direct, ["<b>y", "<b>err", "<b>dy", "<b>err"]), (plain, ["<b>y", "<b>slo", "<b>err"])):
            page.locator(f'tr[data-digest="{row["digest"]}"]').click()
            page.wait_for_selector("#sheet .plot .main-svg")
            titles = page.evaluate("document.querySelector('#sheet .plot').layout.annotations.map((one) => one.text)")
            assert [title[: len(start)] for title, start in zip(titles, wanted)] == wanted and len(titles) == len(
                wanted
            )
            bounds = page.evaluate("document.querySelector('#sheet .plot').layout.shapes.map((one) => one.y0)")
            assert bounds == [-1, 1] * titles.count(wanted[1]) or set(bounds) == {-1, 1}
            names = page.evaluate("document.querySelector('#sheet .plot').data.map((one) => one.name)")
            assert {"function", "segment", "next segment", "breakpoint"} <= set(names)


@pytest.mark.slow
def test_command_is_copied(browser, page_file):
    """And the button says so."""
    with Watched(browser, page_file) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.click(".command button")
        page.wait_for_function("document.querySelector('.command button').textContent === 'Copied'")
        assert page.evaluate("navigator.clipboard.readText()") == page.text_content("#sheet pre")


@pytest.mark.slow
def test_theme_can_be_changed(browser, page_file):
    """The plots change with it."""
    with Watched(browser, page_file) as page:
        colour = "document.getElementById('scatter').layout.font.color"
        light = page.evaluate(colour)
        page.click("#theme")
        assert page.get_attribute("html", "data-theme") == "dark" and page.evaluate(colour) != light


@pytest.mark.slow
@pytest.mark.parametrize("case", ["empty", "all failed", "one", "no curves"])
def test_poor_explorations_give_a_sensible_page(browser, exploration, tmp_path, case):
    """Without an error, and with a sentence where a plot would be."""
    rows, curves = exploration
    rows = {
        "empty": [],
        "all failed": [row for row in rows if row["status"] == "failed"],
        "one": rows[:1],
        "no curves": rows,
    }[case]
    write(rows, {} if case == "no curves" else curves, tmp_path / "poor.html", case)
    with Watched(browser, tmp_path / "poor.html") as page:
        assert page.is_visible("#scatter") == (case in ("one", "no curves"))
        assert page.text_content("#summary").startswith(
            {"empty": "No points", "all failed": "2 points", "one": "1 point:"}.get(case, "21 points")
        )
        if case == "empty":
            assert "no points" in page.text_content("#scatter-help")


@pytest.mark.slow
def test_three_thousand_points_stay_usable(browser, exploration, tmp_path):
    """The table is cut into pages, and a filter answers within a second."""
    rows, curves = exploration
    many = [{**rows[k % len(rows)], "digest": str(k), "luts": 10 + k, "seed": k % 7} for k in range(3000)]
    write(many, curves, tmp_path / "many.html", "Many")
    with Watched(browser, tmp_path / "many.html") as page:
        assert len(shown(page)) == 50
        page.click("#pages button[aria-label='Next page']")
        assert shown(page)[0] == "50"
        seconds = page.evaluate(
            """async () => {
                const began = performance.now(), select = document.getElementById("filter-function");
                select.value = "gelu"; select.dispatchEvent(new Event("change"));
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                return (performance.now() - began) / 1000;
            }"""
        )
        assert seconds < 5 and set(column(page, "function")) == {"gelu"}
