"""What of an engine's words is kept: talk is, and what engines say into silence is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinning_pipelines.engines.speech import Segment
from twinning_pipelines.products.voice_notes.phrases import bare, is_made_up
from twinning_pipelines.products.voice_notes.sifting import GUESSED, MADE_UP, NO_WORDS, SILENT, sift, text_of


@pytest.mark.parametrize(
    "text",
    [
        " Thank you for watching!",
        "Thanks for watching.",
        " Thank you.",
        "Thank you. Thank you. Thank you.",
        " you",
        "[BLANK_AUDIO]",
        "♪ Music ♪",
        " Untertitel der Amara.org-Community",
        "Untertitel im Auftrag des ZDF für funk, 2017",
        "Vielen Dank fürs Zuschauen!",
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Sous-titres réalisés par la communauté d’Amara.org",
        "¡Gracias por ver el video!",
        "Subtítulos realizados por la comunidad de Amara.org",
        "Sottotitoli creati dalla comunità Amara.org",
        "Legendas pela comunidade Amara.org",
        "Ondertitels ingediend door de Amara.org gemeenschap",
        "Napisy stworzone przez społeczność Amara.org",
        "Продолжение следует...",
        "Субтитры сделал DimaTorzok",
        "Altyazı M.K.",
        "ご視聴ありがとうございました。",
        "字幕由Amara.org社区提供",
        "시청해 주셔서 감사합니다.",
    ],
)
def test_what_engines_say_into_silence_is_left_out_where_the_segment_is_short_or_silent(text: str) -> None:
    assert is_made_up(text)
    short, silent, talk = (
        Segment(0, 1.5, text, 0.1, -0.3),
        Segment(0, 29, text, 0.7, -0.3),
        Segment(0, 6, text, 0.1, -0.3),
    )
    expected = MADE_UP if bare(text) else NO_WORDS
    assert [each.left_out for each in sift([short, silent, talk])] == [expected, expected, None]


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for the flowers.",
        "Danke, dass du da warst.",
        "I am watching the rain.",
        "You know.",
        "Bye for now, Ben.",
    ],
)
def test_what_a_person_says_is_kept(text: str) -> None:
    assert not is_made_up(text)
    assert text_of(sift([Segment(0, 1, text, 0.55, -0.9)])) == text


def test_likely_silence_and_guesses_are_left_out_and_say_why() -> None:
    told = sift(
        [
            Segment(0, 4, " I slept  well,", 0.01, -0.2),
            Segment(4, 8, " mumbling", 0.8, -1.2),
            Segment(8, 12, " in a tunnel", 0.9, -0.5),
            Segment(12, 16, " gibberish", 0.1, -2.0),
            Segment(16, 17, " ... ", 0.1, -0.1),
            Segment(17, 20, " I think."),
        ]
    )
    assert [each.left_out for each in told] == [None, SILENT, None, GUESSED, NO_WORDS, None]
    assert text_of(told) == "I slept well, in a tunnel I think."
    assert told[3].document() == {
        "start": 12, "end": 16, "text": "gibberish", "no_speech": 0.1, "logprob": -2.0, "left_out": GUESSED,
    }  # fmt: skip
    assert "left_out" not in told[0].document()


@given(
    st.lists(
        st.builds(
            Segment,
            st.floats(0, 100),
            st.floats(0, 100),
            st.text(max_size=30) | st.sampled_from(("Thank you.", "you", "Good morning")),
            st.none() | st.floats(0, 1),
            st.none() | st.floats(-5, 0),
        ),
        max_size=8,
    )
)
def test_every_segment_is_kept_or_left_out_and_the_text_is_made_of_the_kept(segments: list[Segment]) -> None:
    told = sift(segments)
    assert [each.segment for each in told] == segments
    kept = [each for each in told if each.left_out is None]
    assert text_of(told).split() == [word for each in kept for word in each.segment.text.split()]
    assert bool(text_of(told)) == bool(kept)
