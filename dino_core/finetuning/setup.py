"""What a fine-tuning is made of."""

from dataclasses import dataclass
from typing import Literal

from dino_core.runs.request import DEFAULT_BATCH, RunRequest, settled_for

Part = Literal["head", "blocks", "all"]


@dataclass(frozen=True)
class FinetuneSetup:
    """What a person asked for; `config.json` holds it."""

    data: str
    include: tuple[str, ...] = ()  # see `datasets.find_pictures`
    exclude: tuple[str, ...] = ()
    stretch: bool = False
    part: Part = "head"
    blocks: int = 2
    epochs: int = 100
    batch_size: int = 32
    size: int = 224  # px
    rate: float = 1e-4  # of the backbone's last block and of the head after its own stage
    layer_decay: float = 0.75  # from each block to the one before it
    weight_decay: float = 0.05
    patience: int = 5  # epochs without a lower validation loss; a head alone waits twice as long
    test_share: float = 0.2  # of every class, where folders do not say
    validation_share: float = 0.15  # of what is left
    model: str | None = None
    weights: str | None = None
    probes: tuple[str, ...] = ()
    seed: int = 0
    device: str = "cpu"
    threads: int = 0
    bfloat16: bool = False
    request: RunRequest | None = None  # as a person asked for it, where one did

    @classmethod
    def of(cls, request: RunRequest) -> "FinetuneSetup":
        settled, same = settled_for(request, cls)
        return cls(
            batch_size=settled.batch or DEFAULT_BATCH,
            bfloat16=settled.dtype == "bfloat16",
            **same | {"request": settled},
        )
