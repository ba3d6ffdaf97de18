"""The teacher's targets: its logits made into distributions that cannot all be the same.

Paper, section 4; official files `loss/dino_clstoken_loss.py` and `loss/ibot_patch_loss.py`. Both
ways are used for class tokens and for masked patches alike. Rows are tokens, columns prototypes:

    centring            softmax((logits - center) / temperature), center = moving average of logits
    Sinkhorn-Knopp      rows become distributions and all prototypes are used equally often

The paper writes of a softmax *followed by* centring; the official code, DINO's before it, and this
one centre first. ViT-g was trained with Sinkhorn-Knopp, the official code's default is centring.

The centre is a memory, and it is kept visible: the caller holds it, hands it in and gets the next
one. Batch t is centred with what batches 0 .. t - 1 left behind:

    targets = center_and_sharpen(logits, center, temperature)
    center = update_center(center, logits)

`group` is a process group of `torch.distributed` whose processes each hold some of the rows; None
is this process alone.
"""

import torch
import torch.distributed as dist
from torch import Tensor

FAINTEST = -60.0  # exp(-60) is 1e-26: far below float32's rounding of 1, far above its smallest


@torch.no_grad()
def center_and_sharpen(logits: Tensor, center: Tensor, temperature: float) -> Tensor:
    """softmax((logits - center) / temperature): [n, K], [K] -> [n, K], rows sum to 1.

    The centre keeps one prototype from winning always, the low temperature keeps the targets from
    being uniform: each prevents the collapse that the other would allow.
    """
    return ((at_least_float32(logits) - center) / temperature).softmax(dim=-1)


@torch.no_grad()
def update_center(
    center: Tensor,
    logits: Tensor,
    momentum: float = 0.9,
    group: dist.ProcessGroup | None = None,
) -> Tensor:
    """momentum * center + (1 - momentum) * mean of the logits: [K], [n, K] -> [K].

    Over several processes it is the plain mean of their means, as in the official code: a process
    with fewer masked patches counts as much as one with many. One without any rows votes for the
    centre as it is.
    """
    mean = at_least_float32(logits).mean(dim=0) if len(logits) else center.clone()
    if group is not None:
        dist.all_reduce(mean, group=group)
        mean /= dist.get_world_size(group)
    return center * momentum + mean * (1 - momentum)


@torch.no_grad()
def sinkhorn_knopp(
    logits: Tensor,
    temperature: float,
    iterations: int = 3,
    group: dist.ProcessGroup | None = None,
) -> Tensor:
    """Targets whose rows sum to 1 and whose columns sum to n / K (nearly): [n, K] -> [n, K].

        Q = exp(logits / temperature)
        repeat:
            for each prototype k:  Q[:, k] /= K * sum(Q[:, k])
            for each token i:      Q[i, :] /= n * sum(Q[i, :])
        return n * Q

    n counts the rows of all processes of the group, which may hold different numbers of them.
    Always in float32, as the official code. That takes the exponential of the logits as they are;
    here nothing overflows when they grow beyond 88 times the temperature, and no token vanishes:

        each prototype's largest logit is subtracted first, which the first division undoes;
        a token that is far below all of those is lifted to `FAINTEST`. It adds nothing to the
        columns' sums of 1 and more, there or here, and its row is divided by its own sum. Left
        where it is, all of its exponentials would be 0, and 0 / 0 would spoil the whole batch.
    """
    # Factors of n and K that cancel are left out: each prototype is brought to 1, each token to 1.
    logits = logits.float()
    n, K = logits.shape
    largest = logits.amax(dim=0) if n else logits.new_full((K,), -torch.inf)
    if group is not None:
        dist.all_reduce(largest, op=dist.ReduceOp.MAX, group=group)
    Q = logits - largest  # [n, K], in place from here on: exp((logits - largest) / temperature)
    Q /= temperature
    Q += (FAINTEST - Q.amax(dim=1, keepdim=True)).clamp_min(0)
    Q = Q.exp_()
    for _ in range(iterations):
        used = Q.sum(dim=0)  # [K] how much of each prototype, over all processes
        if group is not None:
            dist.all_reduce(used, group=group)
        Q /= used
        Q /= Q.sum(dim=1, keepdim=True)
    return Q


def at_least_float32(x: Tensor) -> Tensor:
    """Half precision becomes float32; float32 and float64 stay as they are."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
