import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from core.plots.drawing.lines import _spread
from core.plots.drawing.text import clean, elide, width, wrap


def test_a_width_is_what_matplotlib_draws() -> None:
    figure = Figure(figsize=(8, 1), dpi=100)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    text = figure.text(0, 0.5, "cross-entropy (nats)", size=20, family="DejaVu Sans")

    drawn = text.get_window_extent(renderer).width / 100

    assert drawn <= width("cross-entropy (nats)", 20) <= 1.05 * drawn


def test_wrapped_lines_fit_and_keep_the_words() -> None:
    text = "one line of several words that does not fit in an inch"

    lines = wrap(text, 9, 1.0)

    assert " ".join(lines) == text
    assert all(width(line, 9) <= 1.0 for line in lines)


def test_words_wider_than_a_line_are_cut() -> None:
    lines = wrap("x" * 200, 9, 1.0, most=3)

    assert len(lines) == 3
    assert all(width(line, 9) <= 1.0 for line in lines)


def test_what_is_left_out_is_the_middle() -> None:
    short = elide("batch_size=32, optimizer.lr=0.1", 9, 1.2)

    assert short.startswith("batch")
    assert short.endswith("0.1")
    assert "…" in short


def test_control_characters_become_squares() -> None:
    assert clean("a 初\x07 b\nc\uffff") == "a 初□ b c□"


def test_boxes_stay_where_they_are_wished_when_there_is_room() -> None:
    assert _spread([1.0, 3.0], [0.5, 0.5], 5.0) == [1.0, 3.0]


def test_boxes_that_would_overlap_part_evenly() -> None:
    assert _spread([2.0, 2.0], [1.0, 1.0], 5.0) == pytest.approx([1.5, 2.5])


def test_boxes_stay_within_the_room() -> None:
    assert _spread([0.0, 0.0, 9.0], [1.0, 1.0, 1.0], 4.0) == pytest.approx([0.5, 1.5, 3.5])
