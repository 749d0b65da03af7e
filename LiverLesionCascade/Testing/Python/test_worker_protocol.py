"""Messages between worker and client, however they are cut up and whatever else comes along."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from LiverLesionCascadeLib.worker.devices import DeviceInfo
from LiverLesionCascadeLib.worker.protocol import (
    Hello,
    LineReader,
    RunFailed,
    RunFinished,
    RunProgress,
    StartRun,
    decode,
    encode,
)

MESSAGES = st.one_of(
    st.builds(StartRun, st.integers(0), st.text()),
    st.builds(RunProgress, st.integers(0), st.floats(0, 1), st.text(), st.none() | st.floats(0, 1e6)),
    st.builds(RunFinished, st.integers(0)),
    st.builds(RunFailed, st.integers(0), st.sampled_from(["memory", "internal"]), st.text(), st.text()),
    st.builds(
        Hello,
        st.integers(0),
        st.text(),
        st.lists(st.builds(DeviceInfo, st.text(), st.text(), st.booleans())).map(tuple),
        st.text(),
    ),
)
# What libraries print; a line break ends it or not.
NOISE = st.binary(max_size=40)


def pieces(data, cuts):
    """The bytes, cut at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in zip(places, places[1:], strict=False)]


@given(st.lists(st.tuples(NOISE, MESSAGES)), NOISE, st.lists(st.integers(0, 10_000), max_size=20))
def test_every_message_arrives_among_any_noise_and_however_it_is_cut(sent, last, cuts):
    data = b"".join(noise + encode(message) for noise, message in sent) + last
    reader = LineReader()
    lines = [line for piece in pieces(data, cuts) for line in reader.lines(piece)]
    assert [message for line in lines if (message := decode(line)) is not None] == [message for _, message in sent]


@given(st.binary())
def test_no_line_is_too_foreign_to_be_read(line):
    assert decode(line) is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        [],
        7,
        {"LiverLesionCascade": "Unheard"},
        {"LiverLesionCascade": ["RunFinished"]},
        {"LiverLesionCascade": "RunFinished"},
        {"LiverLesionCascade": "RunFinished", "run": 1, "more": 2},
        {"LiverLesionCascade": "RunProgress", "run": 1, "fraction": "half", "stage": "", "seconds_left": None},
        {"LiverLesionCascade": "RunProgress", "run": 1, "fraction": 1.5, "stage": "", "seconds_left": None},
        {"LiverLesionCascade": "RunFailed", "run": 1, "kind": "unheard of", "message": "", "details": ""},
        {"LiverLesionCascade": "Hello", "devices": 3},
    ],
    ids=str,
)
def test_json_that_is_no_message_of_ours_is_a_foreign_line(values):
    assert decode(json.dumps(values).encode()) is None


def test_a_carriage_return_ends_a_line_as_progress_bars_do():
    reader = LineReader()
    assert list(reader.lines(b"10 %\r20 %\r\n30")) == [b"10 %", b"20 %"]
    assert list(reader.lines(b" %\n")) == [b"30 %"]


def test_a_line_that_never_ends_is_not_kept_for_ever():
    reader = LineReader()
    kept = sum(len(line) for _ in range(40) for line in reader.lines(b"x" * 100_000))
    assert kept >= 3_000_000
    assert list(reader.lines(b"\nshort\n"))[-1] == b"short"


def test_messages_are_ascii_whatever_they_say():
    assert encode(StartRun(1, "C:/Größe/肝臓")).isascii()
