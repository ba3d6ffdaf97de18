"""What if: the model's insides changed, with controls, and what follows from it.

words      a change in words, SITE=VALUE
reference  what usually stands at every site, over reference pictures; another picture
values     changes -> edits of one picture: zero, mean, noise, other, own
screening  every head or block, one at a time
prototypes what a pair's heads say before and after

    changes = parse_changes(["head:8.3=mean", "scores:6-11=cls!patches"])
    reference = reference_for(sample_pictures(), seen)
    sources = Sources(statistics_of(backbone, reference))
    effects(vit, seen, as_edits(vit, seen, changes, sources)).cls_cosine
"""

from dino_core.whatif.prototypes import HeadsSay, centers_of, heads_say
from dino_core.whatif.reference import (
    Reference,
    Statistics,
    other_picture,
    reference_for,
    statistics_of,
)
from dino_core.whatif.screening import Plan, Screened, screen, screened
from dino_core.whatif.values import Sources, Values, as_edits, check_changes
from dino_core.whatif.words import Change, parse_change, parse_changes

__all__ = [
    "Change",
    "HeadsSay",
    "Plan",
    "Reference",
    "Screened",
    "Sources",
    "Statistics",
    "Values",
    "as_edits",
    "centers_of",
    "check_changes",
    "heads_say",
    "other_picture",
    "parse_change",
    "parse_changes",
    "reference_for",
    "screen",
    "screened",
    "statistics_of",
]
