"""What a run is made of, and the recipes people start from. No torch here.

    TINY            learns something in a minute on two cores
    DEMO            small pictures such as CIFAR-10 as they are: a quarter of an hour on a core
    SMALL           a GPU and a set of small pictures such as CIFAR-10, from scratch
    OFFICIAL_SHORT  ViT-L/16 on ImageNet-1k      OFFICIAL_LONG  ViT-L/14 on ImageNet-22k
    CONTINUE        from given weights: new heads first, then the last blocks at low rates
    HEADS           from given weights: heads and mask token alone, the backbone never moves

Training from scratch on a small machine fails in one way above all: the teacher's targets are
nearly uniform, so the student learns "uniform" and both stay there. Against it help a teacher
temperature of 0.02 to 0.025 instead of 0.04, few prototypes (Sinkhorn-Knopp over n samples cannot
be sharper than ln(K / n) / ln K), prototypes that start far apart and stand still at first, and a
LayerScale of 1 instead of 1e-5.
"""

from dataclasses import dataclass, fields, is_dataclass, replace
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from dino_core.config import (
    OFFICIAL_LONG,
    OFFICIAL_SHORT,
    VIT_SMALL,
    VIT_TINY_TRAIN,
    CropConfig,
    FollowConfig,
    HeadConfig,
    LossConfig,
    MaskConfig,
    OptimConfig,
    ScheduleConfig,
    TrainConfig,
)

Config = TypeVar("Config")


@dataclass(frozen=True)
class RunConfig:
    """Everything about a run that decides its numbers, besides pictures and starting weights."""

    train: TrainConfig
    preset: str = "own"
    needs_weights: bool = False  # makes no sense from scratch
    seed: int = 0
    accumulate: int = 1  # parts in which a step's pictures are computed, one after the other
    trainable_blocks: int | None = None  # the last so many; 0: heads and mask token; None: all
    head_warmup: float = 0.0  # share of the steps in which only heads and mask token move
    backbone_rate: float = 1.0  # learning rate of the backbone, in units of the heads'
    mask_token_rate: float | None = None  # the same for the mask token; None: as embeddings
    measure_every: int = 10  # steps between measurements of entropy, rank and similarity
    checkpoint_every: int = 200  # steps; the newest two are kept
    milestones: int = 4  # checkpoints that are kept for good, evenly spread; the last one counts
    keep_good: bool = False  # keep the newest checkpoint that had not collapsed, to go back to
    follow: FollowConfig | None = None  # a distillation by features alone

    def __post_init__(self) -> None:
        wrong = [
            name
            for name in ("accumulate", "measure_every", "checkpoint_every", "milestones")
            if getattr(self, name) < 1
        ]
        if wrong:
            raise ValueError(f"{wrong[0]} must be at least 1, but is {getattr(self, wrong[0])}.")
        if self.batch_size < 1 or self.batch_size % self.accumulate:
            raise ValueError(
                f"A batch of {self.batch_size} pictures cannot be shared by {self.accumulate} "
                f"parts: choose a batch that is a multiple of them."
            )
        if self.steps < 1:
            raise ValueError(f"A run needs at least 1 step, {self.steps} were asked for.")

    @property
    def steps(self) -> int:
        return self.train.schedule.steps

    @property
    def batch_size(self) -> int:
        """Pictures a step, all processes together."""
        return self.train.schedule.batch_size

    @property
    def head_steps(self) -> int:
        """The backbone stands still before this step."""
        return round(self.head_warmup * self.steps)

    def is_milestone(self, step: int) -> bool:
        """After `step` steps. Step 0 is one: what the run started from."""
        return step == self.steps or step % max(self.steps // self.milestones, 1) == 0


def with_steps(config: RunConfig, steps: int) -> RunConfig:
    """The same recipe in a run of another length: every phase keeps its share of the steps."""
    schedule = config.train.schedule
    if steps == schedule.steps:
        return config
    if steps < 1:
        raise ValueError(f"A run needs at least 1 step, {steps} were asked for.")

    def scaled(epochs: int) -> int:
        return round(steps * epochs / schedule.epochs)

    shorter = replace(
        schedule,
        epochs=steps,
        epoch_length=1,
        warmup_epochs=scaled(schedule.warmup_epochs),
        freeze_last_layer_epochs=scaled(schedule.freeze_last_layer_epochs),
        teacher_temperature_epochs=scaled(schedule.teacher_temperature_epochs),
    )
    return replace(config, train=replace(config.train, schedule=shorter))


def with_ready_heads(config: RunConfig) -> RunConfig:
    """For heads that know the backbone: they move alone only until AdamW's memory is filled."""
    return replace(config, head_warmup=min(config.head_warmup, 0.05))


def with_batch(config: RunConfig, batch_size: int, accumulate: int = 1) -> RunConfig:
    """Another number of pictures a step; the learning rate follows it by its square root."""
    schedule = replace(config.train.schedule, batch_size=batch_size)
    return replace(config, train=replace(config.train, schedule=schedule), accumulate=accumulate)


# --- recipes

_NARROW_HEAD = HeadConfig(
    prototypes=512, hidden=512, bottleneck=128, linear_std=None, prototype_std=0.3
)
# Pictures of 32 px have no fine detail to blur, and little colour to lose.
_SMALL_PICTURE_CROPS = CropConfig(
    global_scale=(0.4, 1.0), local_scale=(0.15, 0.5), blur_probability=(0.0, 0.0, 0.0), hue=0.05
)
_SHARP_SCHEDULE = ScheduleConfig(
    epochs=100,
    epoch_length=4,
    batch_size=64,
    base_learning_rate=4e-3,  # 1e-3 at 64 pictures
    end_learning_rate=1e-5,
    warmup_epochs=7,
    freeze_last_layer_epochs=10,
    weight_decay=0.04,
    end_weight_decay=0.1,
    momentum=0.98,
    end_momentum=0.998,
    start_teacher_temperature=0.02,
    teacher_temperature=0.025,
)

TINY = RunConfig(
    preset="tiny",
    train=TrainConfig(
        vit=replace(VIT_TINY_TRAIN, fused_attention=False),  # faster backward with few tokens
        dino_head=_NARROW_HEAD,
        ibot_head=_NARROW_HEAD,
        crops=replace(_SMALL_PICTURE_CROPS, global_size=56, local_size=28, local_count=4),
        masks=MaskConfig(),
        loss=LossConfig(centering="sinkhorn_knopp"),
        optim=OptimConfig(layer_decay=1.0, patch_embed_factor=1.0),
        schedule=_SHARP_SCHEDULE,
    ),
    checkpoint_every=100,
)

DEMO = RunConfig(
    preset="demo",
    train=replace(
        TINY.train,
        vit=replace(TINY.train.vit, depth=4, patch_size=8, image_size=32),
        crops=replace(TINY.train.crops, global_size=32, local_size=16),
        schedule=replace(_SHARP_SCHEDULE, epoch_length=10),
    ),
    checkpoint_every=250,
)

SMALL = RunConfig(
    preset="small",
    train=TrainConfig(
        vit=replace(VIT_TINY_TRAIN, dim=384, heads=6, depth=9, patch_size=4, image_size=32),
        dino_head=replace(_NARROW_HEAD, prototypes=2048, hidden=1024, bottleneck=256),
        ibot_head=replace(_NARROW_HEAD, prototypes=2048, hidden=1024, bottleneck=256),
        crops=replace(_SMALL_PICTURE_CROPS, global_size=32, local_size=16, local_count=6),
        loss=LossConfig(centering="sinkhorn_knopp"),
        optim=OptimConfig(layer_decay=1.0, patch_embed_factor=1.0),
        schedule=replace(
            _SHARP_SCHEDULE,
            epoch_length=200,
            batch_size=512,
            base_learning_rate=1.4e-3,  # 1e-3 at 512 pictures
            freeze_last_layer_epochs=2,
            momentum=0.992,
            end_momentum=1.0,
        ),
        bfloat16=True,
    ),
    measure_every=20,
    checkpoint_every=1000,
    milestones=10,
)

SHORT = RunConfig(
    preset="official-short",
    train=OFFICIAL_SHORT,
    measure_every=50,
    checkpoint_every=3750,
    milestones=10,
)
LONG = RunConfig(
    preset="official-long",
    train=OFFICIAL_LONG,
    measure_every=50,
    checkpoint_every=3750,
    milestones=10,
)

_FROM_WEIGHTS = TrainConfig(
    vit=replace(VIT_SMALL, fused_attention=False),  # replaced by that of the weights
    dino_head=replace(_NARROW_HEAD, hidden=512),
    ibot_head=replace(_NARROW_HEAD, hidden=512),
    crops=CropConfig(
        global_size=98,
        local_size=42,
        local_count=4,
        global_scale=(0.4, 1.0),
        local_scale=(0.15, 0.5),
        hue=0.05,
    ),
    loss=LossConfig(centering="sinkhorn_knopp"),
    optim=OptimConfig(layer_decay=0.9),
    schedule=replace(
        _SHARP_SCHEDULE, batch_size=32, base_learning_rate=5.7e-3, freeze_last_layer_epochs=15
    ),
)

CONTINUE = RunConfig(
    preset="continue",
    needs_weights=True,
    # A teacher that follows faster: in a hundred steps it would hardly have moved otherwise.
    train=replace(
        _FROM_WEIGHTS,
        schedule=replace(_FROM_WEIGHTS.schedule, epoch_length=1, momentum=0.95, end_momentum=0.99),
    ),
    trainable_blocks=2,
    head_warmup=0.25,
    backbone_rate=0.5,
    mask_token_rate=5.0,
    checkpoint_every=50,
)
HEADS = RunConfig(
    preset="heads",
    needs_weights=True,
    # The class token of a frozen backbone cannot be pushed apart.
    train=replace(_FROM_WEIGHTS, loss=LossConfig(centering="sinkhorn_knopp", koleo_weight=0.0)),
    trainable_blocks=0,
    mask_token_rate=5.0,
    checkpoint_every=50,
)

PRESETS: dict[str, RunConfig] = {
    config.preset: config for config in (TINY, DEMO, SMALL, SHORT, LONG, CONTINUE, HEADS)
}
PRESET_WORDS: dict[str, str] = {
    "tiny": "from scratch, shows learning in a minute on two processor cores",
    "demo": "from scratch on small pictures such as CIFAR-10: the whole method in a quarter of an "
    "hour on one processor core; its features are not worth showing yet",
    "small": "from scratch on small pictures such as CIFAR-10; wants a GPU",
    "official-short": "ViT-L/16 as on ImageNet-1k: 125 000 steps of 2048 pictures, many GPUs",
    "official-long": "ViT-L/14 as on ImageNet-22k: 625 000 steps of 3072 pictures, many GPUs",
    "continue": "from given weights: new heads on a frozen backbone for a quarter of the steps "
    "(a twentieth where trained heads are there, as for the preview backbone), then its last two "
    "blocks at half the rate. Careful: continuing a trained model carelessly "
    "(a high rate, few pictures, a long run) destroys its features within minutes; give --knn "
    "and compare before with after",
    "heads": "from given weights: heads and mask token alone, the backbone stays as it is",
}


def find_preset(name: str) -> RunConfig:
    """ValueError, with the names there are, for any other."""
    if name not in PRESETS:
        raise ValueError(f"There is no preset {name!r}. There are {', '.join(PRESETS)}.")
    return PRESETS[name]


# --- from JSON


def from_plain(kind: type[Config], values: dict[str, Any]) -> Config:
    """The way back from `dataclasses.asdict` and JSON: nested dataclasses and tuples again.

    ValueError for a name that this version of the project does not know.
    """
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(
            f"The configuration names {unknown[0]!r}, which this version does not know. Continue "
            f"with the version that wrote it."
        )
    return kind(**{name: _typed(hints[name], value) for name, value in values.items()})


def _typed(hint: Any, value: Any) -> Any:
    if get_origin(hint) is UnionType:
        choices = [choice for choice in get_args(hint) if choice is not type(None)]
        return None if value is None else _typed(choices[0], value)
    if is_dataclass(hint) and isinstance(hint, type):
        return from_plain(hint, value)
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise ValueError(f"The configuration has {value!r} where one of {get_args(hint)} belongs.")
    return tuple(value) if isinstance(value, list) else value
