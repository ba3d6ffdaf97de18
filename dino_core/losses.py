"""The three losses as pure functions: DINO between crops, iBOT on masked patches, KoLeo on spread.

Paper, section 4; official files in `dinov2/loss/`. ViT-g learned by them from its own moving
average; ViT-S, B and L were distilled by the same three from the frozen ViT-g, with iBOT on the
patches of both global crops, none hidden (section 5).

Each loss hands back what is optimised and, for a reader who wants to see them one by one, the terms
that it is the mean of. Differentiable in the student's logits. Logits in half precision are taken
to float32 first; call these outside of autocast.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def dino_loss(
    student: Tensor, teacher: Tensor, temperature: float = 0.1
) -> tuple[Tensor, Tensor, Tensor]:
    """Every crop predicts what the teacher says of the picture's other views.

        pairs = G (G - 1) + L G                    a global crop is not compared with itself
        for s in student crops, t in teacher views, s != t:
            loss += mean_b terms[s, t, b] / pairs                               `dino_terms`

    Student logits [G + L, B, K], the G crops that the teacher sees too come first; teacher targets
    [G, B, K] -> (the part of the global crops, the part of the local crops, terms [G + L, G, B]),
    in nats. The loss is the sum of both parts. With 2 global and 8 local crops 2 of 18 pairs are
    global: every local crop is compared with both views, a global one with the other view alone.
    """
    terms = dino_terms(student, teacher, temperature)
    pairs = terms.mean(dim=-1)  # [G + L, G, B] -> [G + L, G]
    G = len(teacher)
    L = len(pairs) - G
    count = G * (G - 1) + L * G
    same = torch.eye(G, dtype=torch.bool, device=pairs.device)
    of_global = pairs[:G].masked_fill(same, 0).sum() / count
    return of_global, pairs[G:].sum() / count, terms


def dino_terms(student: Tensor, teacher: Tensor, temperature: float = 0.1) -> Tensor:
    """Cross-entropy of every student crop against every teacher view, for each picture.

        for s in student crops, t in teacher views, b in pictures:
            terms[s, t, b] = - sum_k teacher[t, b, k] * log softmax(student[s, b] / temperature)[k]

    Student logits [G + L, B, K], teacher targets [G, B, K] (rows sum to 1) -> [G + L, G, B] in
    nats, those of a crop with itself among them.
    """
    log_p = log_probabilities(student, temperature)
    return -torch.einsum("sbk,tbk->stb", log_p, teacher.to(log_p.dtype))


def ibot_loss(
    student: Tensor, teacher: Tensor, weights: Tensor, crops: int, temperature: float = 0.1
) -> tuple[Tensor, Tensor]:
    """A masked patch is predicted from what is around it.

        terms[m] = - sum_k teacher[m, k] * log softmax(student[m] / temperature)[k]
        loss     = 1 / crops * sum_m weights[m] * terms[m],     weights[m] = 1 / n(crop of m)

    That is the mean over the n masked patches of a crop, then the mean over all `crops` = G B
    global crops: one without a mask adds nothing, but counts in the division. Logits and targets
    [M, K], weights [M] -> (loss, terms [M]), in nats.
    """
    log_p = log_probabilities(student, temperature)
    terms = -(teacher * log_p).sum(dim=-1)
    return (terms * weights.to(terms.dtype)).sum() / crops, terms


def ibot_map(terms: Tensor, masks: Tensor) -> Tensor:
    """Puts terms [M] back where their patches are: bool masks [G B, P] -> same shape, NaN else."""
    out = terms.new_full(masks.shape, torch.nan)
    out[masks] = terms
    return out


def koleo_loss(cls: Tensor, eps: float = 1e-8) -> tuple[Tensor, Tensor]:
    """Kozachenko-Leonenko regulariser: - mean_i log(distance to the nearest neighbour).

    It pushes the class tokens [B, D] of different pictures apart, and so spreads a batch evenly
    over the sphere (Sablayrolles et al. 2019). Never given two crops of one picture. The official
    code takes it of both global crops and adds up, the paper says "the first global crop" (appendix
    B.1). -> (loss, terms [B]).
    """
    terms, _ = koleo_terms(cls, eps)
    return terms.mean(), terms


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


def log_probabilities(logits: Tensor, temperature: float) -> Tensor:
    """log softmax(logits / temperature) over the last axis, in float32 or better."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return (logits / temperature).log_softmax(dim=-1)
