"""What the dicts inside scenes hold: for readers, and for the types of the page's scripts.

A field says `Annotated[dict[str, Any], CropFacts]`; the dict itself is made where the scene is.
"""

from typing import Literal, NotRequired, TypedDict


class OperationFacts(TypedDict):
    """One operation that fired on a crop, with its own number."""

    name: Literal["brightness", "contrast", "saturation", "hue", "grey", "blur", "solarize"]
    factor: NotRequired[float]  # brightness, contrast, saturation
    shift: NotRequired[float]  # hue, in turns
    sigma: NotRequired[float]  # blur, px
    threshold: NotRequired[int]  # solarize, of 256


class CropFacts(TypedDict):
    """The decisions of a crop (`crops.Decisions.as_dict`)."""

    kind: Literal["global", "local"]
    index: int  # among the crops of its kind
    size: int  # px, a side of the finished crop
    picture_size: tuple[int, int]  # (width, height), px
    box: tuple[int, int, int, int]  # x0, y0, x1, y1 in the picture, px
    area_fraction: float  # of the picture, 0 to 1
    aspect: float  # width / height
    flipped: bool
    operations: list[OperationFacts]  # in their order


class CropSize(TypedDict):
    """A crop as the losses name it."""

    name: str
    size: int  # px
    kind: Literal["global", "local"]


class RecipeFacts(TypedDict):
    """What a pair was trained with."""

    targets: str
    temperature: float  # of the teacher
    student_temperature: float


class ReferenceFacts(TypedDict):
    """A sample that is in the batch beside the picture."""

    file: str
    title: str
    column: int  # of the sheet
    distances: tuple[float, float]  # of the student's global crops


class MaskFacts(TypedDict):
    """How the mask of a crop in a batch came about."""

    target: int  # patches; 0: not masked at all
    achieved: int
    rejected: int  # tries that were not kept
    blocks: list[tuple[int, int, int, int, int]]  # top, left, height, width, new patches
    neighbours: tuple[float, float]  # visible ones of a hidden patch, block and random: mean of 0-4


class WalkFacts(TypedDict):
    """A step of the data through the model."""

    part: Literal["before", "block", "after"]
    name: str
    shape: list[int]


class MapParameters(TypedDict):
    """PCA tells its ratio, UMAP its settings."""

    ratio: NotRequired[list[float]]  # share of the variance
    neighbours: NotRequired[int]
    min_distance: NotRequired[float]
    seed: NotRequired[int]


class RecallFacts(TypedDict):
    """How many of the true nearest an index found."""

    value: float  # 0 to 1
    queries: int  # for which exact search was asked as well
    k: int  # nearest of each
    words: str  # the same in a sentence


class GalleryMapFacts(TypedDict):
    """How a map of pictures was made."""

    parameters: dict[str, float | str]  # by their names in words
    seed: int | None  # None: there is no chance in it
    explained: list[float] | None  # PCA: share of the variance along x and y, before turning
    trustworthiness: float | None  # 0 to 1: are the 10 nearest in the map near in the features
    recall: NotRequired[RecallFacts]  # of the graph that the map of a large gallery was made from
    seconds: float  # it took
    words: str  # what distances in such a map do not mean


class GroupingFacts(TypedDict):
    """How groups of pictures were made."""

    parameters: dict[str, float | str]  # by their names in words
    seed: int | None  # None: there is no chance in it
    explained: NotRequired[float]  # k-means: share of the variance between clusters
    noise: NotRequired[int]  # HDBSCAN: pictures in no cluster
    agreement: float | None  # adjusted Rand index with the classes; None without labels
    words: str


class CompanionFacts(TypedDict):
    """A sample that is in the batch of a step beside the picture."""

    file: str
    title: str


class FunctionFacts(TypedDict):
    """A function whose lines are shown."""

    name: str
    file: str
    first: int  # line of the file, counted from 1
    lines: list[str]
    docstring: tuple[int, int] | None  # first and last line of it


class ValueFacts(TypedDict):
    """A number or tensor that a line has left behind; of a number that is not finite null."""

    name: str  # with the way to it: losses.terms.ibot
    kind: Literal["tensor", "number", "text"]
    text: str  # of a text
    number: float | None  # of a number
    shape: list[int]  # of a tensor, as the rest
    low: float | None
    high: float | None
    mean: float | None


class VisitFacts(TypedDict):
    """A statement that was run."""

    function: int  # whose lines it is among
    first: int  # lines of the file
    last: int
    depth: int  # 0 in the step itself
    callers: list[tuple[int, int]]  # function and line, the outermost first
    view: str  # what is drawn beside it, one of `step.VIEWS`
    values: list[ValueFacts]


class NearestFacts(TypedDict):
    """A training picture that lies near another one, where a fine-tuned head looks."""

    index: int  # among the training pictures
    label: str
    cosine: float
