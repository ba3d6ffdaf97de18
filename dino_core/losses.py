"""The three losses as pure functions: DINO between crops, iBOT on masked patches, KoLeo on spread.

Paper, section 4; official files in `dinov2/loss/`. Each loss comes in two steps: its terms, which a
reader may want to see one by one, and their sum. Differentiable in the student's scores. Scores
in half precision are taken to float32 first; call these outside of autocast.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def dino_terms(student: Tensor, teacher: Tensor, temperature: float = 0.1) -> Tensor:
    """Cross-entropy of every student crop against every teacher view, for each picture.

        for s in student crops, t in teacher views, b in pictures:
            terms[s, t, b] = - sum_k teacher[t, b, k] * log softmax(student[s, b] / temperature)[k]

    Student scores [S, B, K], teacher targets [T, B, K] (rows sum to 1) -> [S, T, B] in nats.
    """
    log_p = log_probabilities(student, temperature)
    return -torch.einsum("sbk,tbk->stb", log_p, teacher.to(log_p.dtype))


def dino_loss(student: Tensor, teacher: Tensor, temperature: float = 0.1) -> Tensor:
    """Sum over all pairs of a student crop and a teacher view, mean over the pictures.

        L = sum_s sum_t mean_b H(teacher[t, b], student[s, b])

    [S, B, K], [T, B, K] -> scalar. DINOv2 leaves out the pairs of a crop with itself and divides
    by the number of pairs that are left: `split_dino_terms`.
    """
    return dino_terms(student, teacher, temperature).mean(dim=-1).sum()


def split_dino_terms(terms: Tensor) -> tuple[Tensor, Tensor]:
    """[G + L, G, B] -> (loss of the global crops, loss of the local crops), two scalars.

    The student's first G crops are those which the teacher sees too; a crop is not compared with
    itself. Both sums are divided by the number of all pairs, G (G - 1) + L G: with 2 global and
    8 local crops 2 of 18 pairs are global.
    """
    pairs = terms.mean(dim=-1)  # [G + L, G]
    crops, G = pairs.shape
    L = crops - G
    count = G * (G - 1) + L * G
    same = torch.eye(G, dtype=torch.bool, device=pairs.device)
    return pairs[:G].masked_fill(same, 0).sum() / count, pairs[G:].sum() / count


def ibot_terms(student: Tensor, teacher: Tensor, temperature: float = 0.1) -> Tensor:
    """Cross-entropy of each masked patch: scores [M, K], targets [M, K] -> [M] in nats.

    terms[m] = - sum_k teacher[m, k] * log softmax(student[m] / temperature)[k]
    """
    log_p = log_probabilities(student, temperature)
    return -(teacher * log_p).sum(dim=-1)


def ibot_loss(
    student: Tensor, teacher: Tensor, weights: Tensor, crops: int, temperature: float = 0.1
) -> Tensor:
    """Mean over the masked patches of a crop, then mean over all global crops, masked or not.

        L = 1 / crops * sum_m weights[m] H(teacher[m], student[m]),   weights[m] = 1 / n(crop of m)

    A crop without a mask adds nothing, but counts in the division. Scores and targets [M, K],
    weights [M], crops = 2 B -> scalar.
    """
    return reduce_ibot_terms(ibot_terms(student, teacher, temperature), weights, crops)


def reduce_ibot_terms(terms: Tensor, weights: Tensor, crops: int) -> Tensor:
    """Terms [M] and weights [M] -> the loss, `ibot_loss`'s second step."""
    return (terms * weights.to(terms.dtype)).sum() / crops


def ibot_map(terms: Tensor, masks: Tensor) -> Tensor:
    """Puts terms [M] back where their patches are: bool masks [2B, P] -> [2B, P], NaN elsewhere."""
    out = terms.new_full(masks.shape, torch.nan)
    out[masks] = terms
    return out


def koleo_terms(cls: Tensor, eps: float = 1e-8) -> tuple[Tensor, Tensor]:
    """Each class token's term and its nearest neighbour: [B, D] -> [B] and indices [B].

        x = cls / |cls|
        for i: neighbour[i] = argmax over j != i of <x[i], x[j]>
               terms[i] = - log(|x[i] - x[neighbour[i]]| + eps)

    Raises ValueError for a single token, which has no neighbour.
    """
    B = len(cls)
    if B < 2:
        raise ValueError(
            f"KoLeo compares the pictures of a batch: it needs at least 2, {B} came. "
            f"Take a larger batch, or set the KoLeo weight to 0."
        )
    x = F.normalize(cls.to(torch.promote_types(cls.dtype, torch.float32)), dim=-1, eps=eps)
    with torch.no_grad():
        similarity = x @ x.T  # [B, B]
        neighbour = similarity.fill_diagonal_(-1).argmax(dim=1)
    distance = F.pairwise_distance(x, x[neighbour], eps=eps)
    return -(distance + eps).log(), neighbour


def koleo_loss(cls: Tensor, eps: float = 1e-8) -> Tensor:
    """Kozachenko-Leonenko regulariser: - mean_i log(distance to the nearest neighbour).

    It pushes the class tokens [B, D] of different pictures apart, and so spreads a batch evenly
    over the sphere (Sablayrolles et al. 2019). Never given two crops of one picture.
    """
    return koleo_terms(cls, eps)[0].mean()


def uniform_anchors(
    prototypes: int, global_crops: int, local_crops: int, ibot_prototypes: int, masked: float
) -> dict[str, float]:
    """What the log shows while the student's output is uniform: a loss that stays there is flat.

    Every cross-entropy is then ln K, whatever the teacher says. `masked` is the share of global
    crops that have a mask, 0.5 officially. iBOT is halved, as it is logged. With 2 global and 8
    local crops and K = 65536: 1.232, 9.858 and 2.773.
    """
    global_pairs = global_crops * (global_crops - 1)
    local_pairs = local_crops * global_crops
    pair = math.log(prototypes) / (global_pairs + local_pairs)
    return {
        "dino_global_crops_loss": global_pairs * pair,
        "dino_local_crops_loss": local_pairs * pair,
        "ibot_loss": masked * math.log(ibot_prototypes) / 2,
    }


def log_probabilities(scores: Tensor, temperature: float) -> Tensor:
    """log softmax(scores / temperature) over the last axis, in float32 or better."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return (scores / temperature).log_softmax(dim=-1)
