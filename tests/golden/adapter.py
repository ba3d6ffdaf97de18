"""Plugs `dino_core` into check.py. It only translates names and shapes; every number is ours.

cd tests/golden && ../../.venv/bin/python check.py --adapter adapter
"""

import re
import sys
from pathlib import Path

import torch

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from check import BaseAdapter  # noqa: E402

from dino_core import config as C  # noqa: E402
from dino_core import heads, losses, masks, schedules, student_teacher, targets, update, vit  # noqa: E402
from dino_core.step.batch import Batch  # noqa: E402
from dino_core.step.forward import Centers  # noqa: E402
from dino_core.step.train_step import train_step  # noqa: E402


class Adapter(BaseAdapter):
    def build_vit(self, constructor, state_dict):
        config = vit_config(constructor)
        state_dict = {unchunked(name): tensor for name, tensor in state_dict.items()}
        model = vit.VisionTransformer(config, device="meta").to_empty(device="cpu")
        model.load_state_dict(state_dict)
        return model.double().eval()

    def forward_features(self, model, image, mask=None):
        out = model(image, mask)
        return {
            "x_norm_clstoken": out.cls,
            "x_norm_regtokens": out.register_tokens,
            "x_norm_patchtokens": out.patches,
            "x_prenorm": out.tokens,
        }

    def intermediate(self, model, image, n, reshape, norm):
        depth = model.config.depth
        layers = range(depth - n, depth) if isinstance(n, int) else n
        out = model(image, trace=layers)
        pairs = []
        for layer in layers:
            tokens = out.traces[layer].tokens
            tokens = model.norm(tokens) if norm else tokens
            patches = tokens[:, out.first_patch :]
            if reshape:  # [B, P, D] -> [B, D, h, w]
                patches = patches.transpose(1, 2).unflatten(-1, out.grid)
            pairs.append((patches, tokens[:, 0]))
        return pairs

    def attention(self, model, image):
        out = model(image, trace=range(model.config.depth))
        return [trace.attention for trace in out.traces.values()]

    def mask_generator(self):
        generator = torch.Generator().manual_seed(0)
        return lambda t: masks.sample_block_mask((16, 16), t, C.MaskConfig(), generator).mask

    def head(self, kwargs, state_dict, x):
        config = C.HeadConfig(
            prototypes=kwargs["out_dim"],
            hidden=kwargs["hidden_dim"],
            bottleneck=kwargs["bottleneck_dim"],
            layers=kwargs["nlayers"],
            mlp_bias=kwargs.get("mlp_bias", True),
        )
        head = heads.ProjectionHead(kwargs["in_dim"], config)
        head.load_state_dict(state_dict)
        return head.double()(x)

    def dino_centering(self, K, seq):
        center, results = torch.zeros(K, dtype=torch.float64), []
        for scores, temperature in seq:
            results.append((targets.center_and_sharpen(scores, center, temperature), center))
            center = targets.update_center(center, scores.reshape(-1, K))
        return results, center

    ibot_centering = dino_centering

    def sinkhorn(self, teacher_output, temp, n_iterations=3):
        return targets.sinkhorn_knopp(teacher_output, temp, n_iterations)

    def dino_loss(self, student_list, teacher_list):
        # The official module sums over all pairs; which of them count is up to the step.
        terms = losses.dino_terms(torch.stack(student_list), torch.stack(teacher_list))
        return terms.mean(dim=-1).sum()

    def ibot_loss_masked(self, student, teacher, mask, n_masked, masks_weight):
        rows = slice(n_masked)
        loss, _ = losses.ibot_loss(student[rows], teacher[rows], masks_weight, crops=len(mask))
        return loss

    def koleo(self, x):
        return losses.koleo_loss(x)[0]

    def schedules(self, config, n):
        optim, teacher, train = config["optim"], config["teacher"], config["train"]
        ours = C.ScheduleConfig(
            epochs=optim["epochs"],
            epoch_length=train["OFFICIAL_EPOCH_LENGTH"],
            batch_size=train["batch_size_per_gpu"] * config["global_size"],
            base_learning_rate=optim["base_lr"],
            end_learning_rate=optim["min_lr"],
            warmup_epochs=optim["warmup_epochs"],
            freeze_last_layer_epochs=optim["freeze_last_layer_epochs"],
            weight_decay=optim["weight_decay"],
            end_weight_decay=optim["weight_decay_end"],
            momentum=teacher["momentum_teacher"],
            end_momentum=teacher["final_momentum_teacher"],
            start_teacher_temperature=teacher["warmup_teacher_temp"],
            teacher_temperature=teacher["teacher_temp"],
            teacher_temperature_epochs=teacher["warmup_teacher_temp_epochs"],
        )
        names = {
            "lr": "learning_rate",
            "wd": "weight_decay",
            "momentum": "momentum",
            "teacher_temp": "teacher_temperature",
            "last_layer_lr": "last_layer_learning_rate",
        }
        return {
            theirs: AsSequence(getattr(schedules, name), ours) for theirs, name in names.items()
        }

    def train(self, config, init, inputs, centering, separate):
        ours = train_config(config, centering, separate)
        pair = student_teacher.StudentTeacher(ours).double()
        pair.load_state_dict(init)
        optimiser = update.build_optimiser(pair.student.parts, ours.optim)
        centers = Centers.zeros(ours, dtype=torch.float64)
        steps = []
        for i in range(config["steps"]):
            values = schedules.StepValues(
                *(config[k][i] for k in ("lr", "lll", "wd", "mom", "temp"))
            )
            batch = train_batch(inputs, i)
            result = train_step(pair, batch, optimiser, values, ours, centers)
            centers = result.centers
            steps.append(
                {
                    "loss_dict": result.logged,
                    "total": result.loss,
                    "grad_norm_before_clip": result.gradient_norms,
                }
            )
        return steps, pair.state_dict()


def vit_config(constructor):
    """The official constructor's keywords -> ViTConfig."""
    return C.ViTConfig(
        dim=constructor["embed_dim"],
        depth=constructor["depth"],
        heads=constructor["num_heads"],
        patch_size=constructor["patch_size"],
        image_size=constructor["img_size"],
        mlp_ratio=constructor["mlp_ratio"],
        ffn="swiglu" if "swiglu" in constructor["ffn_layer"] else "mlp",
        registers=constructor.get("num_register_tokens", 0),
        layer_scale_init=constructor["init_values"],
        position_offset=constructor.get("interpolate_offset", 0.1),
        position_antialias=constructor.get("interpolate_antialias", False),
    )


def unchunked(name):
    """blocks.<chunk>.<block>.rest -> blocks.<block>.rest."""
    return re.sub(r"^blocks\.\d+\.(\d+)\.", r"blocks.\1.", name)


class AsSequence:
    """function(i, config), written as sequence[i]."""

    def __init__(self, function, config):
        self.function, self.config = function, config

    def __getitem__(self, i):
        return self.function(i, self.config)


def train_config(config, centering, separate):
    """train_meta.json's config -> TrainConfig."""
    head = C.HeadConfig(
        prototypes=config["K"], hidden=config["hidden"], bottleneck=config["bottleneck"]
    )
    ibot_head = C.HeadConfig(
        prototypes=config["Ki"], hidden=config["hidden"], bottleneck=config["bottleneck"]
    )
    return C.TrainConfig(
        vit=C.ViTConfig(
            dim=config["dim"],
            depth=config["depth"],
            heads=config["heads"],
            patch_size=config["patch"],
            image_size=config["gsize"],
            layer_scale_init=config["layerscale"],
        ),
        dino_head=head,
        ibot_head=ibot_head if separate else None,
        loss=C.LossConfig(
            dino_weight=config["dino_w"],
            ibot_weight=config["ibot_w"],
            koleo_weight=config["koleo_w"],
            centering=centering,
        ),
        optim=C.OptimConfig(
            layer_decay=config["decay"],
            patch_embed_factor=config["pe_mult"],
            clip=config["clip"],
        ),
    )


def train_batch(inputs, i):
    """train_inputs.safetensors, step i -> Batch in float64."""
    return Batch(
        global_crops=inputs[f"step{i}/collated_global_crops"],
        local_crops=inputs[f"step{i}/collated_local_crops"],
        masks=inputs[f"step{i}/collated_masks"],
        mask_indices=inputs[f"step{i}/mask_indices_list"],
        mask_weights=inputs[f"step{i}/masks_weight"],
    ).to("cpu", torch.float64)
