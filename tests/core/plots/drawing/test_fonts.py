"""Labels in letters that the usual font lacks."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
import pytest

from core.plots import picture, pictures
from core.plots.drawing import fonts, text
from core.plots.drawing.lines import draw_lines

BUNDLED = str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "STIXGeneral.ttf")
ONLY_STIX = "\N{MATHEMATICAL SCRIPT CAPITAL A}"
NOWHERE = "\N{CUNEIFORM SIGN A}"
Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(*paths)`: the fonts of the machine are these."""

    def forget() -> None:
        for kept in (fonts._other, fonts._faces, fonts._installed, fonts._register):
            kept.cache_clear()

    def replace(*paths: str) -> None:
        monkeypatch.setattr(fonts, "findSystemFonts", lambda: list(paths))
        forget()

    yield replace
    forget()


def of(label: str) -> dict[str, object]:
    line = {"arm": 0, "role": "main", "x": [0, 1], "y": [0.0, 1.0], "low": None, "high": None, "raw": None}
    axis = {"label": "", "scale": "linear", "limits": (0, 1)}
    panel = {"title": "", "x": axis, "y": axis, "lines": [line]}
    return {"title": "t", "caption": "c.", "arms": [{"label": label, "note": ""}], "panels": [panel]}


def test_letters_come_from_the_first_installed_font_that_has_them(install: Install) -> None:
    install(BUNDLED)

    assert fonts.families(f"a{ONLY_STIX}") == ["DejaVu Sans", "STIXGeneral"]
    assert fonts.families("שלום ascii") == ["DejaVu Sans"]
    assert fonts.missing(f"a{ONLY_STIX}{NOWHERE}") == [NOWHERE]


def test_a_width_is_measured_in_the_font_that_draws_it(install: Install) -> None:
    install(BUNDLED)
    in_stix = text.width(ONLY_STIX, 10)
    install()

    assert in_stix != text.width(ONLY_STIX, 10) == text.width(fonts.BOX, 10)


def test_an_svg_keeps_letters_as_text_and_names_their_fonts(install: Install) -> None:
    install(BUNDLED)

    drawn = picture(draw_lines, of(f"{ONLY_STIX}{NOWHERE} 全零"), "svg").decode()

    assert re.search(f"'DejaVu Sans', 'STIXGeneral'[^>]*>{ONLY_STIX}{NOWHERE} 全零<", drawn)


def test_letters_of_no_font_are_told_in_the_caption_and_are_squares_in_a_png(install: Install) -> None:
    install()

    assert fonts.boxed(f"a{NOWHERE}\N{BALINESE SIGN ULU RICEM}b") == "a□b"
    assert "has the letters U+12000:" in picture(draw_lines, of(NOWHERE), "svg").decode().replace("</text>", "")
    assert picture(draw_lines, of(NOWHERE), "png") == picture(draw_lines, of(NOWHERE), "png")
    assert "No font" not in picture(draw_lines, of("שלום Ωµ"), "svg").decode()


def test_both_formats_of_one_drawing_are_those_of_two_where_a_png_has_squares(install: Install) -> None:
    install()
    data = of(f"a{NOWHERE}")
    apart = {form: picture(draw_lines, data, form) for form in ("png", "svg")}

    assert pictures(draw_lines, data) == pictures(draw_lines, data, ("svg", "png")) == apart


def test_a_line_s_end_is_a_letter_of_no_font_and_no_square(install: Install) -> None:
    """Fonts of some machines have it as a letter; where none has, every caption of two lines was one with a square."""
    install()

    assert fonts.boxed("a…\nb") == "a…\nb"
    assert fonts.families("a…\nb") == ["DejaVu Sans"]


def test_the_same_letters_look_as_the_language_around_them_has_them() -> None:
    assert [fonts._region(words) for words in ("全零", "初期化 ゼロ", "초기화")] == ["SC", "JP", "KR"]


def test_a_file_that_is_no_font_is_passed_over(install: Install, tmp_path: Path) -> None:
    (bad := tmp_path / "bad.ttf").write_bytes(b"no font")
    install(str(bad), BUNDLED)

    assert fonts.families(ONLY_STIX) == ["DejaVu Sans", "STIXGeneral"]
