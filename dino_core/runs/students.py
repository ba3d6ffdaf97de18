"""What a distillation teaches, and by which recipe. No torch here.

    LIGHT     small pictures such as CIFAR-10 as they are: something to show in a quarter of an hour
    PHOTOS    pictures of any size, patches as fine as a ViT-S/14's at 112 px: two minutes

and the student of every preset of training from scratch. By the recipe "features" the student's
class and patch tokens follow the teacher's, each through a linear map.
"""

from dataclasses import replace

from dino_core.config import FollowConfig, ScheduleConfig
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


_LIGHT = following(
    replace(DEMO, train=replace(DEMO.train, vit=replace(DEMO.train.vit, depth=6))),
    FollowConfig(teacher_grid=7),
)
LIGHT = replace(_LIGHT, preset="light")

_PHOTOS = following(TINY, FollowConfig(answers=480, first_look=96))
PHOTOS = replace(
    _PHOTOS,
    preset="photos",
    train=replace(
        _PHOTOS.train,
        vit=replace(_PHOTOS.train.vit, image_size=112),
        crops=replace(_PHOTOS.train.crops, global_size=112),
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

STUDENTS: dict[str, RunConfig] = {
    config.preset: config
    for config in (LIGHT, PHOTOS, *map(following, (TINY, DEMO, SMALL, SHORT, LONG)))
}
STUDENT_WORDS: dict[str, str] = {
    "light": "width 192, 6 blocks, patches of 8 px, for pictures of 32 px such as CIFAR-10: a "
    "quarter of an hour on two processor cores",
    "photos": "width 192, 6 blocks, patches of 14 px, for pictures of any size, seen at 112 px: "
    "looks like its teacher within two minutes",
    "tiny": "the student of the preset tiny: width 192, 6 blocks, patches of 14 px, 56 px",
    "demo": "that of the preset demo: width 192, 4 blocks, patches of 8 px, 32 px",
    "small": "that of the preset small: width 384, 9 blocks, patches of 4 px, 32 px; wants a GPU",
    "official-short": "ViT-L/16; many GPUs",
    "official-long": "ViT-L/14; many GPUs",
}


def find_student(name: str) -> RunConfig:
    """ValueError, with the names there are, for any other."""
    if name not in STUDENTS:
        raise ValueError(f"There is no student {name!r}. There are {', '.join(STUDENTS)}.")
    return STUDENTS[name]
