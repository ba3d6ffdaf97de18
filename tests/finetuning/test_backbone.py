"""finetuning/backbone.py: the second stage as a plain loop, and what an interruption leaves."""

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tiny_models import TINY, shake, tiny_vit
from tiny_runs import coloured, files

from dino_core.config import CropConfig
from dino_core.crops import sample_crops
from dino_core.datasets import Pictures, find_pictures
from dino_core.embedding.preparation import square_input
from dino_core.finetuning import backbone
from dino_core.finetuning.backbone import CropMaker, Epoch, report_epoch
from dino_core.finetuning.checkpoints import BackboneCheckpoints, epochs_done
from dino_core.finetuning.classifier import Classifier
from dino_core.finetuning.setup import FinetuneSetup
from dino_core.images import to_tensor
from dino_core.runs.checkpoints import optimiser_tensors
from dino_core.runs.control import Control
from dino_core.runs.folder import RunFolder, read_metrics, read_state
from dino_core.step.loader import generator_for

CLASSES = ("blue", "green", "red")
SETUP = FinetuneSetup(
    "-", part="all", epochs=5, batch_size=4, size=28, rate=2e-3, layer_decay=0.5, weight_decay=0.1
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    """15 pictures: three batches of four and one of three."""
    return find_pictures(files(tmp_path_factory.mktemp("data"), coloured(5)))


def shaken(**changes: Any) -> Classifier:
    """With a head that is random, a standardisation that does something, and a drop path."""
    classifier = Classifier(tiny_vit(replace(TINY, drop_path=0.5, **changes)), CLASSES, 28)
    shake(classifier.head, seed=3)
    classifier.head.mean.copy_(torch.linspace(-1, 1, 96))
    classifier.head.std.copy_(torch.linspace(0.5, 2, 96))
    return classifier.eval()


def crops_of_step(pictures: Pictures, seed: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Written out: 15 pictures in fours make a pass of four steps."""
    config = CropConfig(
        global_size=28,
        global_scale=(0.5, 1.0),
        local_count=0,
        jitter_probability=0,
        grey_probability=0,
        blur_probability=(0, 0, 0),
        solarize_probability=(0, 0, 0),
    )
    order = torch.randperm(15, generator=generator_for(seed, "order", step // 4)).tolist()
    chosen = order[4 * (step % 4) : 4 * (step % 4) + 4]
    crops = []
    for i in chosen:
        generator = generator_for(seed, f"crop {step // 4}", i)
        crops.append(sample_crops(pictures.picture(i), config, generator)[0].tensor())
    assert pictures.labels is not None
    return torch.stack(crops), torch.tensor([pictures.labels[i] for i in chosen])


def rate_of(name: str, peak: float) -> float:
    """With two blocks and half of the rate for each that lies before another."""
    if name.startswith("backbone.blocks.1."):
        return peak / 2
    if name.startswith("backbone.blocks.0."):
        return peak / 4
    if name.startswith(("backbone.norm", "head")):
        return peak
    return peak / 8  # embeddings


def plain_loop(
    classifier: Classifier, train: Pictures, validation: Pictures, setup: FinetuneSetup
) -> list[tuple[float, float, float]]:
    """(training loss, validation loss, accuracy) of each epoch; the best weights are left."""
    named = {n: p for n, p in classifier.named_parameters() if "mask_token" not in n}
    still = [n for n in named if n.endswith("bias") or "norm" in n or "gamma" in n]
    groups = [
        {"params": [p], "weight_decay": 0.0 if n in still else setup.weight_decay, "name": n}
        for n, p in named.items()
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.0)
    lines, best = [], (math.inf, copy.deepcopy(classifier.state_dict()))
    assert validation.labels is not None
    classifier.eval()
    for epoch in range(6):
        total = 0.0 if epoch else math.nan
        for step in range(max(4 * epoch - 4, 0), 4 * epoch):
            images, labels = crops_of_step(train, setup.seed, step)
            loss = F.cross_entropy(classifier(images), labels)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(named.values(), 3.0)
            factor = 0.01 + 0.99 * (1 + math.cos(math.pi * (step - 2) / 18)) / 2
            if step < 2:
                factor = float(step)  # a tenth of 20 steps to climb from 0
            for group in optimiser.param_groups:
                group["lr"] = factor * rate_of(group["name"], setup.rate)
            optimiser.step()
            total += loss.item() * len(labels)
        loss_there, right = 0.0, 0
        for i, label in enumerate(validation.labels):
            with torch.no_grad():
                logits = classifier(square_input(validation.picture(i), 28, 14)[None])[0]
            loss_there -= logits.log_softmax(0)[label].item() / len(validation)
            right += int(logits.argmax()) == label
        lines.append((total / 15, loss_there, right / len(validation)))
        if loss_there < best[0]:
            best = loss_there, copy.deepcopy(classifier.state_dict())
    classifier.load_state_dict(best[1])
    return lines


def test_the_backbone_learns_as_in_a_plain_loop(run: RunFolder, data: Pictures) -> None:
    """All of it, with a rate that falls from block to block, and half precision nowhere."""
    validation = data.subset([0, 3, 5, 9, 10, 11, 14])
    classifier, again = shaken(), shaken()
    epoch = backbone.train_backbone(run, SETUP, data, validation, classifier, Control(run))
    expected = plain_loop(again, data, validation, SETUP)
    lines = read_metrics(run.path)
    assert [line["train_loss"] for line in lines[1:]] == pytest.approx(
        [loss for loss, _, _ in expected[1:]], rel=1e-3
    )
    assert lines[0]["train_loss"] is None
    assert [line["validation_loss"] for line in lines] == pytest.approx(
        [loss for _, loss, _ in expected], rel=1e-3
    )
    assert [line["validation_accuracy"] for line in lines] == [right for _, _, right in expected]
    assert epoch == int(np.argmin([loss for _, loss, _ in expected])) > 0
    found, wanted = classifier.state_dict(), again.state_dict()
    for name, tensor in wanted.items():
        if "qkv.bias" not in name:  # the keys' has no gradient but rounding
            torch.testing.assert_close(found[name], tensor, atol=2e-4, rtol=1e-3, msg=name)
    assert torch.equal(found["backbone.mask_token"], shaken().state_dict()["backbone.mask_token"])


@pytest.mark.parametrize("part", ["blocks", "all"])
def test_what_learns_and_at_which_rate(part: str) -> None:
    classifier = shaken()
    setup = replace(SETUP, part=part, blocks=1)  # type: ignore[arg-type]
    names = backbone.set_trainable(classifier, setup)
    every = [name for name, _ in classifier.named_parameters()]
    if part == "all":
        assert names == [name for name in every if name != "backbone.mask_token"]
    else:
        parts = ("backbone.blocks.1.", "backbone.norm.", "head.")
        assert names == [name for name in every if name.startswith(parts)]
    groups = {id(p): g for g in backbone.rates(classifier, setup) for p in g["params"]}
    named = dict(classifier.named_parameters())
    assert len(groups) == len(names)
    for name in names:
        group = groups[id(named[name])]
        small = name.endswith("bias") or "norm" in name or "gamma" in name
        assert group["weight_decay"] == (0.0 if small else 0.1), name
        assert group["peak"] == (rate_of(name, 2e-3) if part == "all" else 2e-3), name


def test_one_update(data: Pictures) -> None:
    """In half precision almost the same; with no path dropped; and not at all without a number."""
    crops, labels = CropMaker(data, SETUP).make(0)
    found = {}
    for half in (False, True):
        classifier = shaken().train()
        optimiser = torch.optim.AdamW(classifier.parameters(), lr=1e-3)
        chosen = replace(SETUP, bfloat16=half)
        found[half] = backbone.update(classifier, optimiser, crops, labels, chosen)
        assert not classifier.backbone.training
        norm = torch.stack([p.grad.norm() for p in classifier.parameters() if p.grad is not None])
        assert norm.norm() == pytest.approx(3.0, rel=1e-2), "it was larger"
    logits = shaken()(torch.stack([to_tensor_of(one) for one in crops[:, 0]]))
    assert found[False] == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-4)
    assert found[True] != found[False]
    assert found[True] == pytest.approx(found[False], rel=0.05)
    with torch.no_grad():
        classifier.head.bias[0] = math.nan
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    with pytest.raises(FloatingPointError, match="cross-entropy is nan"):
        backbone.update(classifier, optimiser, crops, labels, SETUP)
    after = classifier.state_dict()
    assert all(tensor.equal(after[name]) for name, tensor in before.items() if name != "head.bias")


def to_tensor_of(pixels: np.ndarray) -> torch.Tensor:
    return to_tensor(Image.fromarray(pixels))


def test_a_pass_shows_every_picture_once_and_each_pass_other_crops(data: Pictures) -> None:
    maker = CropMaker(data, SETUP)
    assert maker.per_pass == 4
    passes = []
    for number in range(2):
        made = [maker.make(4 * number + place) for place in range(4)]
        assert [crops.shape for crops, _ in made] == [(n, 1, 28, 28, 3) for n in (4, 4, 4, 3)]
        assert torch.cat([labels for _, labels in made]).bincount().tolist() == [5, 5, 5]
        passes.append({one.tobytes() for crops, _ in made for one in crops})
        assert len(passes[-1]) == 15
    assert not passes[0] & passes[1]
    again = CropMaker(data, replace(SETUP, seed=1)).make(0)[0]
    assert not {one.tobytes() for one in again} & passes[0]
    for step in (0, 3, 5):
        crops, labels = maker.make(step)
        images, wanted = crops_of_step(data, 0, step)
        assert labels.equal(wanted)
        torch.testing.assert_close(torch.stack([to_tensor_of(one) for one in crops[:, 0]]), images)


def test_what_is_kept_is_what_moves(run: RunFolder) -> None:
    """Parameters, standardisation and the optimiser's memory come back as they were."""
    classifier = shaken()
    setup = replace(SETUP, part="blocks", blocks=1)
    names = backbone.set_trainable(classifier, setup)
    optimiser = torch.optim.AdamW(backbone.rates(classifier, setup), lr=1e-2)
    kept = BackboneCheckpoints(run, classifier, optimiser, names)
    assert kept.restore() == (math.inf, 0, 0)
    assert epochs_done(run) == -1
    for _ in range(2):
        classifier(torch.ones(1, 3, 28, 28)).square().sum().backward()
        optimiser.step()
    kept.store(4, 0.25, 3)
    assert epochs_done(run) == 4
    assert set(kept.moving()) == {*names, "head.mean", "head.std"}
    other = Classifier(tiny_vit(replace(TINY, drop_path=0.5)), CLASSES, 28)
    backbone.set_trainable(other, setup)
    memory = torch.optim.AdamW(backbone.rates(other, setup), lr=1e-2)
    again = BackboneCheckpoints(run, other, memory, names)
    assert again.restore() == (0.25, 3, 4)
    found = other.state_dict()
    assert all(tensor.equal(found[name]) for name, tensor in classifier.state_dict().items())
    one, two = (optimiser_tensors(*pair) for pair in ((optimiser, classifier), (memory, other)))
    assert len(one) == 3 * len(names)
    assert one.keys() == two.keys()
    assert all(tensor.equal(two[name]) for name, tensor in one.items())
    kept.keep_best()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter += 1
    again.load_best()
    for name, tensor in classifier.state_dict().items():
        moves = name in kept.moving() or name == "head.mean"
        assert tensor.equal(found[name]) == moves, name


@pytest.mark.parametrize(("seconds", "left"), [(None, None), (2.0, 6.0)])
def test_an_epoch_is_a_line_and_where_the_run_is(
    run: RunFolder, seconds: float | None, left: float | None
) -> None:
    report_epoch(run, SETUP, Epoch(2, "head", 0.5, 0.75, 0.875, seconds))
    [line] = read_metrics(run.path)
    assert line.pop("time") > 1.7e9
    assert line == {
        "step": 2,
        "steps": 5,
        "stage": "head",
        "train_loss": 0.5,
        "validation_loss": 0.75,
        "validation_accuracy": 0.875,
        "seconds": seconds,
    }
    with run.locked():
        state = read_state(run.path)
    assert (state.state, state.step, state.steps) == ("running", 2, 5)
    assert state.words == "Epoch 2: 87.5 % of the validation pictures right."
    assert state.seconds_left == left
