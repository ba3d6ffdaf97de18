"""What a pair's heads say before and after, against a loop over patches."""

import pytest
import torch
from PIL import Image
from torch import Tensor

from dino_core.analysis.effects import Effects, effects
from dino_core.analysis.inspection import inspect
from dino_core.assets import SAMPLES
from dino_core.images import to_tensor
from dino_core.runs.pretrained_heads import CIFAR_PAIR
from dino_core.runs.progress import open_pair
from dino_core.step.loss_inspection import ReferencePicture, reference_batch
from dino_core.vit import Edit
from dino_core.whatif import centers_of, heads_say
from dino_core.whatif import prototypes as module


@pytest.fixture(scope="module")
def opened() -> tuple:
    pair, config, _ = open_pair(CIFAR_PAIR)
    return pair.eval(), config


def picture(name: str, side: int = 32) -> Image.Image:
    return Image.open(SAMPLES / name).convert("RGB").resize((side, side))


@pytest.fixture(scope="module")
def references(opened: tuple) -> list[ReferencePicture]:
    pair, config = opened
    return reference_batch(pair, config, [picture("coffee.jpg"), picture("cat.jpg")])


def found(opened: tuple, *edits: Edit) -> Effects:
    vit = opened[0].teacher.backbone
    side = 8 * vit.config.patch_size
    seen = inspect(vit, to_tensor(picture("cat.jpg", side)))
    return effects(vit, seen, edits)


def test_before_and_after(
    opened: tuple, references: list[ReferencePicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATCHES_AT_ONCE", 10)  # 64 patches, in seven parts
    pair, config = opened
    some = found(opened, Edit("attention", 0.0, block=1))
    said = heads_say(pair, config, some, centers_of(references))
    heat, sharpness = config.schedule.teacher_temperature, config.loss.student_temperature

    def targets(logits: Tensor, center: Tensor) -> Tensor:
        return ((logits - center) / heat).softmax(-1)

    center = torch.cat([one.teacher for one in references]).mean(0)
    before, after = some.before.normed, some.after.normed
    with torch.inference_mode():
        says = [targets(pair.teacher.dino_head(one[:1])[0], center) for one in (before, after)]
        for i, one in enumerate(says):
            order = one.argsort(descending=True)[:5]
            assert said.prototypes[i].tolist() == order.tolist()
            torch.testing.assert_close(said.probabilities[i], one[order])
        for i, one in enumerate((before, after)):
            student = (pair.student.dino_head(one[:1])[0] / sharpness).log_softmax(-1)
            assert said.dino[i] == pytest.approx(float(-(says[0] * student).sum()), rel=1e-4)
        heads = [side.ibot_head or side.dino_head for side in (pair.teacher, pair.student)]
        center = torch.cat([one.teacher_patches for one in references]).mean(0)
        terms: tuple[list[float], list[float]] = ([], [])
        for patch in range(some.before.first_patch, len(before)):
            wanted = targets(heads[0](before[patch][None])[0], center)
            for i, one in enumerate((before, after)):
                student = (heads[1](one[patch][None])[0] / sharpness).log_softmax(-1)
                terms[i].append(float(-(wanted * student).sum()))
    assert said.ibot is not None
    for i in range(2):
        assert said.ibot[i] == pytest.approx(sum(terms[i]) / len(terms[i]), rel=1e-4)
    assert said.dino[0] != said.dino[1]


def test_without_an_edit_nothing_is_said_anew(
    opened: tuple, references: list[ReferencePicture]
) -> None:
    said = heads_say(*opened, found(opened), centers_of(references))
    assert said.dino[0] == said.dino[1]
    assert said.ibot is not None
    assert said.ibot[0] == said.ibot[1]
    assert torch.equal(said.prototypes[0], said.prototypes[1])


def test_a_head_of_few_prototypes_names_all_of_them(
    opened: tuple, references: list[ReferencePicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    count = opened[1].dino_head.prototypes
    monkeypatch.setattr(module, "TOP", count + 1)
    said = heads_say(*opened, found(opened), centers_of(references))
    assert sorted(said.prototypes[0].tolist()) == list(range(count))
    assert float(said.probabilities[0].sum()) == pytest.approx(1, abs=1e-4)


def test_features_of_another_model_are_refused(
    opened: tuple, references: list[ReferencePicture]
) -> None:
    from tiny_models import pictures, tiny_vit

    vit = tiny_vit().requires_grad_(False)
    other = effects(vit, inspect(vit, pictures()[0]), [])
    with pytest.raises(ValueError, match=r"width \d+, not of 48: open the picture in the model"):
        heads_say(*opened, other, centers_of(references))
    with pytest.raises(ValueError, match="reference pictures"):
        centers_of([])


def test_another_temperature_of_the_teacher_sharpens_its_targets(
    opened: tuple, references: list[ReferencePicture]
) -> None:
    pair, config = opened
    some, centers = found(opened), centers_of(references)
    said = heads_say(pair, config, some, centers, temperature=0.02)
    with torch.inference_mode():
        logits = pair.teacher.dino_head(some.before.normed[:1])[0]
    wanted = ((logits - centers.dino) / 0.02).softmax(-1)
    torch.testing.assert_close(said.probabilities[0], wanted[said.prototypes[0]])
