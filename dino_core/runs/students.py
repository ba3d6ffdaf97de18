"""What a distillation teaches, and by which recipe. No torch here.

    light     small pictures such as CIFAR-10 as they are: something to show in a quarter of an hour
    photos    pictures of any size, patches as fine as a ViT-S/14's at 112 px: two minutes
    vit-s, vit-b, vit-l   the released sizes

and the student of every preset of training from scratch. By the recipe "features" the student's
class and patch tokens follow the teacher's, each through a linear map. The recipe "paper" is that
of the released models (section 5, table 16): the losses of training under a frozen teacher with its
heads; nothing is masked, no path dropped, and the student's moving average is the result.
"""

from dataclasses import replace
from typing import Literal

from dino_core.config import (
    VIT_BASE,
    VIT_LARGE,
    VIT_SMALL,
    FollowConfig,
    ScheduleConfig,
    ViTConfig,
)
from dino_core.runs.presets import DEMO, LONG, SHORT, SMALL, TINY, RunConfig

_FOLLOWING = ScheduleConfig(
    epochs=100,
    epoch_length=20,
    batch_size=128,
    base_learning_rate=1e-3 * 8**0.5,  # 1e-3 at 128 pictures
    end_learning_rate=0.0,
    warmup_epochs=4,
    freeze_last_layer_epochs=0,
    weight_decay=0.05,
    end_weight_decay=0.05,
)

_AS_IT_SEES = FollowConfig()


def following(config: RunConfig, follow: FollowConfig = _AS_IT_SEES) -> RunConfig:
    """A preset of training from scratch -> its student, taught by features."""
    vit = replace(config.train.vit, drop_path=0.0, layer_scale_init=1.0)
    optim = replace(config.train.optim, layer_decay=1.0, patch_embed_factor=1.0)
    train = replace(config.train, vit=vit, optim=optim, schedule=_FOLLOWING)
    return replace(config, train=train, follow=follow, checkpoint_every=250, milestones=5)


def by_heads(config: RunConfig) -> RunConfig:
    """A preset of training from scratch -> its student, taught by the losses of training."""
    vit, masks = replace(config.train.vit, drop_path=0.0), replace(config.train.masks, hide=False)
    return replace(config, train=replace(config.train, vit=vit, masks=masks))


def released(preset: str, vit: ViTConfig) -> RunConfig:
    """A distilled model as the paper has it (table 16): 625 000 steps of 2048 pictures, 1e-3, no
    dropped paths; the rest, from the weight decay to the 100 000 steps of warm-up, as ViT-g. Of
    what shape it is, is table 17's, but for ViT-B's blocks: 18 there, 12 in what was released.

    The table's rates are those at the peak: 3.5e-4 for models from scratch is what the official
    2e-4 becomes, times sqrt(3072 / 1024).
    """
    schedule = replace(LONG.train.schedule, batch_size=2048, base_learning_rate=1e-3 * 0.5**0.5)
    vit = replace(vit, image_size=224, layer_scale_init=1e-5)
    return replace(LONG, preset=preset, train=replace(LONG.train, vit=vit, schedule=schedule))


_LIGHT = replace(
    DEMO,
    preset="light",
    train=replace(DEMO.train, vit=replace(DEMO.train.vit, depth=6)),
)
_PHOTOS = replace(
    TINY,
    preset="photos",
    train=replace(
        TINY.train,
        vit=replace(TINY.train.vit, image_size=112),
        crops=replace(TINY.train.crops, global_size=112, local_size=56),
    ),
)
LIGHT = following(_LIGHT, FollowConfig(teacher_grid=7))
_SEEN = following(_PHOTOS, FollowConfig(answers=480, first_look=96))
PHOTOS = replace(
    _SEEN,
    train=replace(
        _SEEN.train,
        schedule=replace(
            _FOLLOWING,
            epoch_length=2,
            batch_size=24,
            base_learning_rate=1e-3 * (1024 / 24) ** 0.5,  # 1e-3 at 24 pictures
        ),
    ),
    checkpoint_every=50,
    milestones=10,
)

_OTHERS = (
    TINY,
    DEMO,
    SMALL,
    SHORT,
    LONG,
    released("vit-s", VIT_SMALL),
    released("vit-b", VIT_BASE),
    released("vit-l", VIT_LARGE),
)
Recipe = Literal["features", "paper"]
RECIPES: dict[Recipe, dict[str, RunConfig]] = {
    "features": {one.preset: one for one in (LIGHT, PHOTOS, *map(following, _OTHERS))},
    "paper": {one.preset: one for one in map(by_heads, (_LIGHT, _PHOTOS, *_OTHERS))},
}
STUDENTS = RECIPES["features"]  # the names are the same in both
STUDENT_WORDS: dict[str, str] = {
    "light": "width 192, 6 blocks, patches of 8 px, for pictures of 32 px such as CIFAR-10",
    "photos": "width 192, 6 blocks, patches of 14 px, for pictures of any size, seen at 112 px",
    "tiny": "the student of the preset tiny: width 192, 6 blocks, patches of 14 px, 56 px",
    "demo": "that of the preset demo: width 192, 4 blocks, patches of 8 px, 32 px",
    "small": "that of the preset small: width 384, 9 blocks, patches of 4 px, 32 px; wants a GPU",
    "official-short": "ViT-L/16; many GPUs",
    "official-long": "ViT-L/14; many GPUs",
    "vit-s": "ViT-S/14, as the paper distilled it: 625 000 steps of 2048 pictures, many GPUs",
    "vit-b": "ViT-B/14, as the paper distilled it",
    "vit-l": "ViT-L/14, as the paper distilled it",
}
# What can be seen of a student that follows features, and how soon.
SOON = {
    "light": "a quarter of an hour on two processor cores",
    "photos": "looks like its teacher within two minutes",
}


def words_of(name: str, recipe: Recipe = "features") -> str:
    """What there is to say of a student."""
    soon = SOON.get(name) if recipe == "features" else None
    return STUDENT_WORDS[name] + (f": {soon}" if soon else "")


def find_student(name: str, recipe: Recipe = "features") -> RunConfig:
    """ValueError, with the names there are, for any other."""
    if name not in STUDENTS:
        raise ValueError(f"There is no student {name!r}. There are {', '.join(STUDENTS)}.")
    return RECIPES[recipe][name]
