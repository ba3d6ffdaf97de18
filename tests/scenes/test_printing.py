"""scenes/printing.py: what a printed view says of itself."""

import pytest

from dino_core.scenes import printing
from dino_core.scenes.printing import Printed


@pytest.mark.parametrize("label", ["Two layers", "Two layers."])
def test_a_caption_has_one_full_stop_after_its_words(
    label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "label_of", lambda figure: figure)
    one = Printed("a", lambda width: label, ("pca", "cat.jpg"))
    repeated = f"Repeated by: {one.command('svg')}"
    assert one.caption("svg") == f"Two layers. {repeated}"
    by_hand = Printed("a", lambda width: label, (), otherwise="Turned")
    assert by_hand.caption("svg") == "Two layers. Turned: by no command."
