"""The teacher's targets: its scores made into distributions that cannot all be the same.

Paper, section 4; official files `loss/dino_clstoken_loss.py` and `loss/ibot_patch_loss.py`. Both
ways are used for class tokens and for masked patches alike. Rows are tokens, columns prototypes:

    centring            softmax((scores - center) / temperature), center = moving average of scores
    Sinkhorn-Knopp      rows become distributions and all prototypes are used equally often

The centre is a memory, and it is kept visible: the caller holds it, hands it in and gets the next
one. Batch t is centred with what batches 0 .. t - 1 left behind:

    targets = center_and_sharpen(scores, center, temperature)
    center = update_center(center, scores)

`group` is a process group of `torch.distributed` whose processes each hold some of the rows; None
is this process alone.
"""

import torch
import torch.distributed as dist
from torch import Tensor


@torch.no_grad()
def center_and_sharpen(scores: Tensor, center: Tensor, temperature: float) -> Tensor:
    """softmax((scores - center) / temperature): [n, K], [K] -> [n, K], rows sum to 1.

    The centre keeps one prototype from winning always, the low temperature keeps the targets from
    being uniform: each prevents the collapse that the other would allow.
    """
    return ((at_least_float32(scores) - center) / temperature).softmax(dim=-1)


@torch.no_grad()
def update_center(
    center: Tensor,
    scores: Tensor,
    momentum: float = 0.9,
    group: dist.ProcessGroup | None = None,
) -> Tensor:
    """momentum * center + (1 - momentum) * mean of the scores: [K], [n, K] -> [K].

    Over several processes it is the plain mean of their means, as in the official code: a process
    with fewer masked patches counts as much as one with many. One without any rows votes for the
    centre as it is.
    """
    mean = at_least_float32(scores).mean(dim=0) if len(scores) else center.clone()
    if group is not None:
        dist.all_reduce(mean, group=group)
        mean /= dist.get_world_size(group)
    return center * momentum + mean * (1 - momentum)


@torch.no_grad()
def sinkhorn_knopp(
    scores: Tensor,
    temperature: float,
    iterations: int = 3,
    group: dist.ProcessGroup | None = None,
) -> Tensor:
    """Targets whose rows sum to 1 and whose columns sum to n / K (nearly): [n, K] -> [n, K].

        Q = exp(scores / temperature)
        repeat:
            for each prototype k:  Q[:, k] /= K * sum(Q[:, k])
            for each token i:      Q[i, :] /= n * sum(Q[i, :])
        return n * Q

    n counts the rows of all processes of the group, which may hold different numbers of them.
    Always in float32, as the official code. It takes the exponential of the scores as they are;
    here each prototype's largest score is subtracted first, which the first division undoes, so
    that nothing overflows when the scores grow beyond 88 times the temperature.
    """
    # Factors of n and K that cancel are left out: each prototype is brought to 1, each token to 1.
    scores = scores.float()
    n, K = scores.shape
    largest = scores.amax(dim=0) if n else scores.new_full((K,), -torch.inf)
    if group is not None:
        dist.all_reduce(largest, op=dist.ReduceOp.MAX, group=group)
    Q = ((scores - largest) / temperature).exp()  # [n, K]
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
