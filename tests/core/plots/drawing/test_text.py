import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from core.plots.drawing.lines import _spread
from core.plots.drawing.text import clean, fitted, left_to_right, width, wrap


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


def test_words_wider_than_a_line_are_parted_and_nothing_is_cut() -> None:
    lines = wrap("x" * 200, 9, 1.0)

    assert "".join(lines) == "x" * 200
    assert all(width(line, 9) <= 1.0 for line in lines)


def test_what_is_left_out_is_the_middle_and_stands_in_full_in_the_caption() -> None:
    name = "batch_size=32, optimizer.lr=0.1"
    [whole, short], told = fitted(["he_normal", name], 9, 1.2)

    assert whole == "he_normal"
    assert short.startswith("batch")
    assert short.endswith("0.1")
    assert "…" in short
    assert told == f"In full: {name}."


def test_names_that_would_be_cut_to_the_same_are_numbered() -> None:
    names = [f"resnet-like mlp, {one}, label smoothing 0.05, warm-up" for one in ("adam", "sgd")]
    short, told = fitted(names, 9, 1.2)

    assert len(set(short)) == 2
    assert [one[:3] for one in short] == ["(1)", "(2)"]
    assert all(width(one, 9) <= 1.2 for one in short)
    assert told == f"In full: (1) {names[0]}; (2) {names[1]}."


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("least: שלום, 0.526", "<least: שלום<, 0.526"),
        ("שלום עולם (N = 3)\nb", "<שלום עולם< (N = 3)\nb"),
        ("אב 3 גד, 4", "<אב 3 גד<, 4"),
        ("he_normal, 0.5", "he_normal, 0.5"),
        ("שלום = مرحبا", "<שלום< = <مرحبا<"),
        ("א · ב; ג", "<א< · <ב<; <ג<"),
    ],
)
def test_numbers_stay_behind_words_that_run_from_right_to_left(text: str, marked: str) -> None:
    assert left_to_right(text) == marked.replace("<", "\u200e")
    assert left_to_right(left_to_right(text)) == left_to_right(text)


def test_control_characters_become_squares() -> None:
    assert clean("a 初\x07 b\nc\uffff") == "a 初□ b c□"


def test_boxes_stay_where_they_are_wished_when_there_is_room() -> None:
    assert _spread([1.0, 3.0], [0.5, 0.5], 5.0) == [1.0, 3.0]


def test_boxes_that_would_overlap_part_evenly() -> None:
    assert _spread([2.0, 2.0], [1.0, 1.0], 5.0) == pytest.approx([1.5, 2.5])


def test_boxes_stay_within_the_room() -> None:
    assert _spread([0.0, 0.0, 9.0], [1.0, 1.0, 1.0], 4.0) == pytest.approx([0.5, 1.5, 3.5])


def test_a_number_keeps_its_percent_sign() -> None:
    lines = wrap("bar: 95 % or so", 8, width("bar: 95", 8) + 0.02)
    assert lines == ["bar:", "95 %", "or so"]
