"""Fine-tuning with labels: a linear head on features, then, if asked, blocks of the backbone too.

    split      given train/ and test/, or a seeded fifth of every class for the test; of what is
               left another part, the validation pictures, decides when to end
    features   of all pictures, once; kept in the folder, so that a resumed run need not repeat it
    layers     what simple classifiers read off each of them, as the backbone came (`layers.py`)
    head       a linear classifier on them (`classifier.fit_head`)
    backbone   the last blocks or all of it, starting from that head (Kumar et al. 2022: a random
               head would first distort the features), earlier blocks at lower rates
    test       once, at the end

An epoch of the last stage is its unit: stopping in the middle of one costs what was done of it.
"""

from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image

from dino_core.datasets import Pictures, find_pictures
from dino_core.embedding.embed import FeatureSet, embed_in_memory
from dino_core.finetuning.backbone import (
    Epoch,
    StopRequested,
    check_finite,
    follow_control,
    logits_and_labels,
    report_epoch,
    train_backbone,
)
from dino_core.finetuning.checkpoints import epochs_done
from dino_core.finetuning.classifier import (
    Classifier,
    fit_head,
    load_classifier,
    predict,
    save_classifier,
)
from dino_core.finetuning.explaining import TUNED
from dino_core.finetuning.features import (
    PARTS,
    Divided,
    all_features,
    without_broken,
    write_features,
)
from dino_core.finetuning.layers import best_sentence
from dino_core.finetuning.reports import imbalance, score
from dino_core.finetuning.setup import FinetuneSetup
from dino_core.runs import sample_pictures
from dino_core.runs.control import Control
from dino_core.runs.exit_codes import failures_reported
from dino_core.runs.folder import RunFolder, write_json
from dino_core.runs.presets import from_plain
from dino_core.runs.request import DEFAULT_EPOCHS, full_path
from dino_core.runs.setup import read_probe
from dino_core.weights import WeightsInfo, load_backbone

__all__ = ["FinetuneSetup", "finetune", "load_classifier", "predict"]


def finetune(
    folder: str | Path,
    setup: FinetuneSetup | None = None,
    *,
    resume: bool = False,
    changes: dict[str, Any] | None = None,
) -> Literal["finished", "stopped", "interrupted"]:
    """Runs to the end or until asked to stop; what goes wrong is raised, and told in the folder."""
    run = RunFolder(folder)
    if resume:
        setup = stored_setup(run, changes or {})
    assert setup is not None
    if setup.threads:
        torch.set_num_threads(setup.threads)
    pictures = find_pictures(
        setup.data, include=setup.include, exclude=setup.exclude, stretch=setup.stretch
    )
    if resume:
        check_same_pictures(run, pictures)
    else:
        run.check_new()
        setup = with_full_paths(setup)
    parts = divide(pictures, setup)
    backbone = load_backbone(setup.model, setup.weights, device=setup.device)
    check_size(setup.size, backbone.vit.config.patch_size)
    with ExitStack() as stack:
        stack.enter_context(run.locked())
        if not resume:
            run.create(as_config(setup, pictures, parts, backbone.info))
            run.log_all(pictures.summary())
        stack.enter_context(failures_reported(run, setup.epochs))
        control = stack.enter_context(Control(run))
        run.clear_action()
        classifier = Classifier(backbone.vit, pictures.classes, setup.size)
        try:
            _finetune(run, setup, parts, classifier, control)
        except StopRequested:
            control.heard()
            words = "Stopped, as asked."
            run.put_state("stopped", words, max(epochs_done(run), 0), setup.epochs)
            run.log(words)
            run.clear_action()
            return control.end
    return "finished"


def _finetune(
    run: RunFolder, setup: FinetuneSetup, parts: Divided, classifier: Classifier, control: Control
) -> None:
    probes = chosen_probes(setup, parts)
    save_probes(run, "before", classifier, probes)
    features = all_features(run, setup, parts, classifier, control)
    parts = without_broken(parts, features)
    run.cut_metrics(-1 if setup.part == "head" else epochs_done(run))
    head_epoch = train_head(run, setup, features, classifier, control)
    best_epoch = head_epoch
    if setup.part != "head":
        best_epoch = train_backbone(run, setup, parts.train, parts.validation, classifier, control)
    run.put_state("running", "Testing.", setup.epochs, setup.epochs)
    test = features["test"]
    if setup.part == "head":
        logits = classifier.head(test.both)
    else:
        logits = torch.cat(
            [out for out, _ in logits_and_labels(classifier, parts.test, setup, control)]
        )
        keep_tuned_features(run, setup, parts, classifier, control)
    with torch.no_grad():
        report = score(logits.softmax(1), test.labels, classifier.classes, test.names)
    save_probes(run, "after", classifier, probes)
    save_classifier(classifier, run.path / "model.safetensors", f"fine-tuned here, {setup.part}")
    skipped = [{"file": n, "why": w} for name in PARTS for n, w in features[name].broken]
    facts = {
        "part": setup.part,
        "best_epoch": best_epoch,
        "balance": imbalance(features["train"].labels.tolist(), classifier.classes),
        "counts": {name: len(features[name].labels) for name in PARTS},
        "skipped": skipped,
    }
    write_report(run, {**facts, **report}, setup)


def keep_tuned_features(
    run: RunFolder, setup: FinetuneSetup, parts: Divided, classifier: Classifier, control: Control
) -> None:
    """What the head is given of the training pictures now that the backbone has moved, so that the
    nearest of them can be found for any other picture."""

    def progress(count: int) -> None:
        follow_control(control, setup)
        words = f"Features of the training pictures, once more: {count} of {len(parts.train)}."
        run.put_state("running", words, setup.epochs, setup.epochs)

    tuned = embed_in_memory(classifier.backbone, parts.train, setup.size, progress=progress)
    write_features(run.path / "features" / f"{TUNED}.safetensors", tuned)


def write_report(run: RunFolder, report: dict[str, Any], setup: FinetuneSetup) -> None:
    write_json(run.path / "report.json", report)
    words = (
        f"Finished: {100 * report['accuracy']:.1f} % of {report['pictures']} test pictures right "
        f"(± {100 * report['standard_error']:.1f}); always the commonest class would be "
        f"{100 * report['always_the_commonest']:.1f} %. It began with {weights_sentence(run)}."
    )
    run.log(words)
    run.put_state("finished", words, setup.epochs, setup.epochs, 0.0)


def weights_sentence(run: RunFolder) -> str:
    """Whose weights a verdict is about, and which of their layers would do best by itself."""
    best = best_sentence(run)
    return str(run.read_config()["weights"]) + (f", as they came {best}" if best else "")


# --- pictures


def divide(pictures: Pictures, setup: FinetuneSetup) -> Divided:
    """Training, validation and test pictures. ValueError when there is too little to learn from."""
    if pictures.labels is None:
        raise ValueError(
            f"{setup.data} has no labels: fine-tuning wants a folder for each class, with or "
            f"without train/ and test/ around them."
        )
    if pictures.splits is None:
        rest, test = pictures.divide(setup.test_share, setup.seed)
    else:
        rest, test = pictures.part("train"), pictures.part("test")
    if pictures.splits is not None and len(validation := pictures.part("val")):
        train = rest  # three splits stay three
    else:
        train, validation = rest.divide(setup.validation_share, setup.seed + 1)
    for name, part in (("learn from", train), ("validate", validation), ("test", test)):
        if not len(part):
            raise ValueError(f"{setup.data} leaves no picture to {name}: add pictures.")
    if len(set(train.labels or ())) < 2:
        raise ValueError(f"{setup.data} has pictures of one class only to learn from.")
    return Divided(train, validation, test)


def chosen_probes(setup: FinetuneSetup, parts: Divided) -> list[tuple[str, Image.Image]]:
    """The pictures that were asked for, or the first test picture of up to four classes."""
    if setup.probes:
        return [(name, read_probe(name)) for name in setup.probes]
    first = parts.test.first(1)
    found = []
    for index in range(len(first)):
        try:
            found.append((first.names[index], first.picture(index)))
        except ValueError:
            continue
    return found[:4]


def save_probes(
    run: RunFolder, name: str, classifier: Classifier, probes: list[tuple[str, Image.Image]]
) -> Path:
    path = run.probes / f"{name}.npz"
    if probes:
        arrays = sample_pictures.probe(classifier.backbone, probes, classifier.size)
        sample_pictures.save_arrays(path, arrays)
    return path


# --- head


def train_head(
    run: RunFolder,
    setup: FinetuneSetup,
    features: dict[str, FeatureSet],
    classifier: Classifier,
    control: Control,
) -> int:
    """The linear classifier on features that stay as they are; the epoch of its best weights."""
    train, validation = features["train"], features["validation"]
    only = setup.part == "head"
    epochs = setup.epochs if only else DEFAULT_EPOCHS["head"]

    def watch(epoch: int, loss: float, validation_loss: float, accuracy: float) -> None:
        check_finite(loss)
        follow_control(control, setup)
        if only:
            report_epoch(run, setup, Epoch(epoch, "head", loss, validation_loss, accuracy))

    head = classifier.head.cpu()
    best = fit_head(
        head,
        (train.both, train.labels),
        (validation.both, validation.labels),
        epochs=epochs,
        patience=2 * setup.patience,
        seed=setup.seed,
        watch=watch,
    )
    if only:
        run.log(f"The head was best after {best} epochs.")
    return best


# --- folder


def as_config(
    setup: FinetuneSetup, pictures: Pictures, parts: Divided, info: WeightsInfo
) -> dict[str, Any]:
    return {
        "kind": "fine-tuning",
        "steps": setup.epochs,
        "setup": asdict(setup),
        "weights": info.title,
        "weights_standing": info.standing,
        "weights_notes": list(info.notes),
        "classes": list(pictures.classes),
        "pictures": {
            "count": len(pictures),
            "fingerprint": pictures.fingerprint,
            **{name: len(getattr(parts, name)) for name in PARTS},
        },
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def with_full_paths(setup: FinetuneSetup) -> FinetuneSetup:
    """So that the run can be taken up from another folder."""
    return replace(
        setup,
        data=full_path(setup.data),
        weights=None if setup.weights is None else full_path(setup.weights),
        probes=tuple(full_path(name) for name in setup.probes),
    )


def stored_setup(run: RunFolder, changes: dict[str, Any]) -> FinetuneSetup:
    config = run.read_config()
    if config.get("kind") != "fine-tuning":
        raise ValueError(f"{run.path} is a run of another kind: {config.get('kind')}.")
    setup = from_plain(FinetuneSetup, config["setup"])
    return replace(setup, **{"threads": setup.threads or config["threads"], **changes})


def check_same_pictures(run: RunFolder, pictures: Pictures) -> None:
    if pictures.fingerprint != run.read_config()["pictures"]["fingerprint"]:
        raise ValueError(
            f"The pictures in {pictures.source} are not those that the run started with: put them "
            f"back, or start a new run."
        )


def check_size(size: int, patch: int) -> None:
    if size % patch:
        near = max(round(size / patch), 1) * patch
        raise ValueError(
            f"Pictures of {size} px are no whole patches of {patch} px: choose --size {near}."
        )
