"""Which of many values stand out above the rest, by median and median deviation."""

from dataclasses import dataclass

from torch import Tensor

# The median absolute deviation of a normal distribution, times this, is its standard deviation.
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Outliers:
    """Which of P values stand out above the rest, for any number of layers at once."""

    mask: Tensor  # [..., P] bool
    median: Tensor  # [...]
    sigma: Tensor  # [...] 1.4826 MAD
    threshold: Tensor  # [...] values above it are outliers


def find_outliers(norms: Tensor, count: float = 4.0) -> Outliers:
    """Values [..., P] above median + count * sigma, where sigma = 1.4826 median(|x - median|).

    Median and MAD do not move with the outliers themselves, as mean and standard deviation would.
    Darcet et al. 2024 read a fixed limit off the histogram of ViT-g (150); lengths differ by model
    and by layer, so here the limit follows the picture. Sigma is at least a millionth of the
    median: equal tokens must not become outliers by rounding.
    """
    median = norms.quantile(0.5, dim=-1)
    deviation = (norms - median[..., None]).abs()
    sigma = (MAD_TO_SIGMA * deviation.quantile(0.5, dim=-1)).maximum(1e-6 * median)
    threshold = median + count * sigma
    return Outliers(norms > threshold[..., None], median, sigma, threshold)
