"""Screen One step: a real training step on the picture and the samples, line by line.

What the lines left behind is that of `dino_core/slow_motion`; the samples are the companions.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dino_core.config import GLOBAL_CROPS
from dino_core.draw.colours import crop_colour
from dino_core.figures.step import before_and_after, gradient_norms, loss_shares, movements
from dino_core.figures.theme import Theme
from dino_core.images import open_picture
from dino_core.losses import ibot_map, log_probabilities
from dino_core.scenes.crops import check_seed
from dino_core.scenes.facts import CompanionFacts, CropSize, FunctionFacts, VisitFacts
from dino_core.scenes.pairs import SAMPLES, OpenPair
from dino_core.schedules import StepValues
from dino_core.slow_motion import Choices, Drawn, RecordedStep, Session, Visit
from dino_core.slow_motion.lines import Function
from dino_core.vit.between import current_check

if TYPE_CHECKING:
    import plotly.graph_objects as go

TOP = 4  # prototypes of each class token that are named

# What is drawn beside a line: the first entry of its function whose statement begins so; "" is any.
VIEWS: dict[str, tuple[tuple[str, str], ...]] = {
    "train_step": (
        ("teacher =", "teacher"),
        ("targets =", "targets"),
        ("student =", "student"),
        ("losses =", "losses"),
        ("losses.total.backward()", "gradients"),
        ("return", "after"),
        ("", "batch"),
    ),
    "teacher_outputs": (("return", "teacher"), ("", "teacher_sees")),
    "make_targets": (("def", "teacher"), ("", "targets")),
    "targets_of": (("", "targets"),),
    "center_and_sharpen": (("def", "teacher"), ("", "targets")),
    "update_center": (("", "targets"),),
    "sinkhorn_knopp": (("def", "teacher"), ("return", "targets"), ("", "teacher")),
    "student_outputs": (("return", "student"), ("", "student_sees")),
    "compute_losses": (
        ("dino_global", "dino"),
        ("koleo", "koleo"),
        ("views", "koleo"),
        ("ibot", "ibot"),
        ("masked", "ibot"),
        ("def", "student"),
        ("temperature", "student"),
        ("", "losses"),
    ),
    "dino_loss": (("", "dino"),),
    "koleo_loss": (("", "koleo"),),
    "ibot_loss": (("", "ibot"),),
    "apply_update": (
        ("norms", "clipping"),
        ("optimiser.step()", "student_moved"),
        ("update_teacher", "teacher_moved"),
        ("return", "teacher_moved"),
        ("", "gradients"),
    ),
    "clip_gradients": (("", "clipping"),),
    "update_teacher": (("", "teacher_moved"),),
}


@dataclass(frozen=True)
class StepScene:
    """One recorded step. Losses are in nats, lengths Euclidean; n layers, m losses, B pictures."""

    title: str
    file: str
    seed: int
    number: int  # of the step in its row, counted from 0
    pictures: int  # B
    companions: list[Annotated[dict[str, Any], CompanionFacts]]
    prototypes: tuple[int, int]  # K of the DINO and of the iBOT head
    grid: tuple[int, int]  # patches of a global crop
    crops: list[Annotated[dict[str, Any], CropSize]]
    colours: list[tuple[int, int, int]]
    masked_crops: int  # global crops of the batch that have a mask
    targets_by: str
    student_temperature: float
    values: Annotated[dict[str, Any], StepValues]
    weights: dict[str, float]  # of dino, ibot and koleo
    clip: float | None
    trained_rate: float  # the learning rate that nobody has changed
    trained_temperature: float
    functions: list[Annotated[dict[str, Any], FunctionFacts]]
    visits: list[Annotated[dict[str, Any], VisitFacts]]
    before: dict[str, float]  # the losses with their weights, by name
    after: dict[str, float]  # the same crops and targets behind the step
    norms: dict[str, float]  # of the gradients of backbone and heads, before clipping
    kept: dict[str, float]  # what they were multiplied by
    terms: list[str]
    layers: list[str]
    koleo: list[float]  # of the picture, a number for each global crop; none without KoLeo
    pixels: tuple[np.ndarray, ...]  # uint8 [size, size, 3] of each crop
    masks: np.ndarray  # uint8 [2, h, w] of the picture's global crops
    ibot: np.ndarray  # float32 [2, h, w]; -1 where nothing is hidden
    dino: np.ndarray  # float32 [2 + L, 2] of the picture; a crop with itself does not count
    columns: np.ndarray  # int32 [k] prototypes that stand out
    teacher: np.ndarray  # float32 [2, k] logits
    targets: np.ndarray  # float32 [2, k]
    student: np.ndarray  # float32 [2 + L, k] probabilities
    gradient_norms: np.ndarray  # float32 [n] before clipping
    term_norms: np.ndarray  # float32 [n, m] of each loss alone
    shares: np.ndarray  # float32 [n, m] rows add up to 1; below 0 against the sum
    cosines: np.ndarray  # float32 [m, m] between the losses' gradients
    weight_norms: np.ndarray  # float32 [n] of the student's weights
    student_moved: np.ndarray  # float32 [n]
    teacher_moved: np.ndarray  # float32 [n]
    apart: np.ndarray  # float32 [n] of teacher - student behind the step

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """What the step's figures are on the page."""
        return {
            "after": before_and_after(self.before, self.after, theme),
            "gradients": gradient_norms(self.layers, self.gradient_norms, theme),
            "shares": loss_shares(self.layers, self.terms, self.shares, theme),
            "moved": movements(
                self.layers,
                student=self.student_moved,
                teacher=self.teacher_moved,
                weights=self.weight_norms,
                theme=theme,
            ),
        }


@dataclass(eq=False)
class StepRow:
    """Steps in a row on one picture; stays on the server."""

    opened: OpenPair
    session: Session
    companions: list[dict[str, Any]]

    @property
    def number(self) -> int:
        """Of the step that is next, counted from 0."""
        return self.session.steps

    def pass_over(self) -> None:
        """Makes the next step without looking."""
        self.session.pass_over()

    def record(self) -> StepScene:
        """Makes the next step, and all that was seen of it. Like a forward it can be given up.

        ValueError in a sentence when a loss or gradient is not finite any more.
        """
        drawn = self.session.draw()
        try:
            recorded = self.session.step(drawn, check=current_check() or (lambda: None))
        except FloatingPointError as error:
            raise ValueError(str(error)) from None
        return step_scene(self.opened, self.session, recorded, drawn, self.companions)


def start_row(
    opened: OpenPair, picture: Image.Image, choices: Choices, *, sample: str = ""
) -> StepRow:
    """The first step is yet to be made. `sample` names the picture if it is a sample itself.

    ValueError for choices that do not go together.
    """
    check_seed(choices.seed)
    credits = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
    others = [one for one in credits if one["file"] != sample]
    pictures = [picture, *(open_picture(SAMPLES / one["file"]) for one in others)]
    session = Session(opened.pair, opened.config, pictures, choices)
    companions = [{"file": one["file"], "title": one["title"]} for one in others]
    return StepRow(opened, session, companions)


def step_scene(
    opened: OpenPair,
    session: Session,
    recorded: RecordedStep,
    drawn: Drawn,
    companions: Sequence[dict[str, Any]] = (),
) -> StepScene:
    """Everything of the screen, of the step that the session has just made."""
    config, result = recorded.config, recorded.result
    plain = Choices().settle(opened.config)[1]
    gradients, moved = recorded.gradients, recorded.moved
    return StepScene(
        title=opened.title,
        file=opened.file,
        seed=session.choices.seed,
        number=session.steps - 1,
        pictures=recorded.batch.pictures,
        companions=list(companions),
        prototypes=(len(result.centers.dino), len(result.centers.ibot)),
        targets_by=config.loss.centering,
        student_temperature=config.loss.student_temperature,
        values=vars(recorded.values),
        weights={
            "dino": config.loss.dino_weight,
            "ibot": config.loss.ibot_weight,
            "koleo": config.loss.koleo_weight,
        },
        clip=config.optim.clip,
        trained_rate=plain.learning_rate,
        trained_temperature=plain.teacher_temperature,
        functions=[_function(one) for one in recorded.functions],
        visits=[_visit(one, recorded.functions) for one in recorded.visits],
        before=result.terms,
        after=recorded.terms_after,
        norms=result.gradient_norms,
        kept=recorded.clipped,
        terms=list(gradients.terms),
        layers=list(recorded.layers),
        gradient_norms=_array(recorded.gradient_norms),
        term_norms=_array(gradients.norms),
        shares=_array(gradients.shares),
        cosines=_array(gradients.cosines),
        weight_norms=_array(moved.weights),
        student_moved=_array(moved.student),
        teacher_moved=_array(moved.teacher),
        apart=_array(moved.apart),
        **_of_picture(recorded, drawn),
        **_prototypes(recorded),
    )


def _of_picture(recorded: RecordedStep, drawn: Drawn) -> dict[str, Any]:
    """The first picture's crops, masks and terms of the losses."""
    result, batch = recorded.result, recorded.batch
    B, masks = batch.pictures, batch.masks.cpu()
    own = torch.stack([masks[0], masks[B]]).view(GLOBAL_CROPS, *drawn.grid)  # [2B, P] -> [2, h, w]
    losses = torch.full(own.shape, -1.0)
    if len(result.ibot_terms):
        on_grid = ibot_map(result.ibot_terms.cpu(), masks)  # [2B, P]
        losses = torch.stack([on_grid[0], on_grid[B]]).view(own.shape).nan_to_num(nan=-1.0)
    return {
        "grid": drawn.grid,
        "masked_crops": int(masks.any(dim=1).sum()),
        "crops": [
            {"name": f"{crop.kind} {crop.index}", "size": crop.size, "kind": crop.kind}
            for crop in drawn.crops
        ],
        "colours": [crop_colour(crop.kind, crop.index) for crop in drawn.crops],
        "pixels": tuple(crop.pixels for crop in drawn.crops),
        "masks": own.numpy().astype(np.uint8),
        "ibot": _array(losses),
        "dino": _array(result.dino_terms[..., 0]),
        "koleo": [] if not result.koleo_terms.numel() else result.koleo_terms[:, 0].tolist(),
    }


def _prototypes(recorded: RecordedStep) -> dict[str, Any]:
    """What both networks say of the first picture's crops, for the prototypes that stand out."""
    temperature = recorded.config.loss.student_temperature
    targets = recorded.targets.cls[:, 0]  # [2, B, K] -> [2, K]
    student = log_probabilities(recorded.student.logits[:, 0], temperature).exp()  # [2 + L, K]
    count = min(TOP, targets.shape[1])
    best = [rows.topk(count).indices.flatten() for rows in (targets, student)]
    columns = torch.cat(best).unique()
    return {
        "columns": columns.int().cpu().numpy(),
        "teacher": _array(recorded.teacher.logits[:, 0, columns]),
        "targets": _array(targets[:, columns]),
        "student": _array(student[:, columns]),
    }


def _function(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "file": function.file,
        "first": function.first,
        "lines": list(function.lines),
        "docstring": function.docstring,
    }


def _visit(visit: Visit, functions: Sequence[Function]) -> dict[str, Any]:
    function = functions[visit.function]
    text = function.lines[visit.first - function.first].strip()
    view = next(name for start, name in VIEWS[visit.within] if text.startswith(start))
    return {
        "function": visit.function,
        "first": visit.first,
        "last": visit.last,
        "depth": visit.depth,
        "callers": [list(caller) for caller in visit.callers],
        "view": view,
        "values": [
            {
                "name": value.name,
                "kind": value.kind,
                "text": value.text,
                "number": _finite(value.number),
                "shape": list(value.shape),
                "low": _finite(value.low),
                "high": _finite(value.high),
                "mean": _finite(value.mean),
            }
            for value in visit.values
        ],
    }


def _finite(number: float) -> float | None:
    """JSON knows no infinity: `None`."""
    return number if np.isfinite(number) else None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()
