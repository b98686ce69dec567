"""The message about an unknown name."""

import pytest

from turingdiff.engine.suggestions import unknown


@pytest.mark.parametrize(
    "what, name, known, message",
    [
        ("preset of gray_scott", "mase", ["maze", "spots"], "no preset 'mase' of gray_scott; did you mean 'maze'? "),
        ("machine", "WIENR", ["ideal", "wiener"], "no machine 'WIENR'; did you mean 'wiener'? There are ideal, wiener"),
        ("machine", "qqq", ["ideal"], "no machine 'qqq'; there are ideal"),
        ("preset of mine", "spots", [], "no preset 'spots' of mine; there are none"),
        ("preset", "Spots", ["spots", "Spot"], "no preset 'Spots'; did you mean 'spots'? There are spots, Spot"),
    ],
)
def test_the_nearest_name_is_suggested(what, name, known, message):
    assert unknown(what, name, known).startswith(message)
