"""Which cells must predict which box, and the loss of their predictions.

Assignment by task alignment (Feng et al., TOOD, 2021); quality focal loss (Li et al., Generalized Focal Loss, 2020) on the
product of object and class score; GIoU (Rezatofighi et al., 2019).
"""

import torch

from network import STRIDES, log_scores

# At most this many cells predict a box.
MOST_CELLS = 9
# Weight of the boxes beside the scores.
BOX_WEIGHT = 2.0


def cells(side):
    """Centres [n, 2] and strides [n] of all cells of a square input, level by level, row by row."""
    centres, sizes = [], []
    for stride in STRIDES:
        axis = (torch.arange(side // stride) + 0.5) * stride
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        centres.append(torch.stack([x.flatten(), y.flatten()], 1))
        sizes.append(torch.full((axis.numel() ** 2,), float(stride)))
    return torch.cat(centres), torch.cat(sizes)


def decode(predictions, centres, strides):
    """[..., n, 4 and more] -> boxes [..., n, 4] in pixels."""
    middle = (predictions[..., :2] - 0.5) * strides[:, None] + centres
    half = predictions[..., 2:4].clamp(max=6.0).exp() * strides[:, None] / 2
    return torch.cat([middle - half, middle + half], -1)


def overlaps(a, b, generalized=False):
    """IoU (or GIoU) of boxes that broadcast against each other."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = lambda v: (v[..., 2:] - v[..., :2]).clamp(min=0).prod(-1)
    joint = area(a) + area(b) - shared + 1e-7
    iou = shared / joint
    if not generalized:
        return iou
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1) + 1e-7
    return iou - (hull - joint) / hull


@torch.no_grad()
def assign(scores, boxes, centres, strides, truth, labels):
    """For one picture: cells [k] that predict a box, the box [k] of each, and the score [k] that each should give."""
    x0, y0, x1, y1 = truth.T[:, :, None]
    inside = (centres[:, 0] > x0) & (centres[:, 0] < x1) & (centres[:, 1] > y0) & (centres[:, 1] < y1)
    # A box between the centres of all cells falls to the nearest of the finest.
    lost = ~inside.any(1)
    if lost.any():
        middle = (truth[lost, :2] + truth[lost, 2:]) / 2
        distance = (centres - middle[:, None]).square().sum(-1) + (strides > strides.min()) * 1e9
        inside[lost.nonzero()[:, 0], distance.argmin(1)] = True
    iou = overlaps(truth[:, None], boxes)
    fit = (scores[:, labels].T.clamp(min=1e-6) * iou.clamp(min=1e-3) ** 4) * inside
    best = torch.zeros_like(inside)
    chosen = fit.topk(min(MOST_CELLS, fit.shape[1]), 1).indices
    best.scatter_(1, chosen, True)
    best &= inside
    # A cell predicts the box it fits best.
    owner = torch.where(best, iou + 1e-6, 0.0)
    best &= torch.zeros_like(best).scatter_(0, owner.argmax(0, keepdim=True), True)
    box, cell = best.nonzero(as_tuple=True)
    masked = torch.where(best, fit, 0.0)
    top_fit = masked.amax(1).clamp(min=1e-9)
    # Small boxes seldom overlap well; their scores would sink below every threshold.
    top_iou = torch.where(best, iou, 0.0).amax(1).clamp(min=0.4)
    return cell, box, masked[box, cell] / top_fit[box] * top_iou[box]


def loss(predictions, centres, strides, truths, said=None):
    """Sum of the losses, and each for the log. `truths`: per picture boxes, labels, unknowns. `said`: scores
    [batch, cells, classes] that are the target where the truth is unknown, NaN where there is no target."""
    log, log_not = log_scores(predictions)
    boxes = decode(predictions, centres, strides)
    scores, placed = log.detach().exp(), boxes.detach()
    target, weight = torch.zeros_like(scores), torch.ones_like(scores)
    picked = []
    for i, (truth, labels, unknown) in enumerate(truths):
        for x0, y0, x1, y1, c in unknown.tolist():
            hidden = (centres[:, 0] > x0) & (centres[:, 0] < x1) & (centres[:, 1] > y0) & (centres[:, 1] < y1)
            weight[i, hidden, int(c)] = 0.0
        if len(truth):
            cell, box, value = assign(scores[i], placed[i], centres, strides, truth, labels)
            target[i, cell, labels[box]] = value
            weight[i, cell, labels[box]] = 1.0
            picked.append((torch.full_like(cell, i), cell, truth[box], value))
    total = target.sum().clamp(min=1.0)
    if said is not None:
        known = (weight == 0) & ~said.isnan()
        target[known], weight[known] = said[known], 1.0
    focus = (scores - target).abs().square()
    quality = -((target * log + (1 - target) * log_not) * focus * weight).sum() / total
    if not picked:
        return quality, {"quality": quality.item()}
    i, cell, truth, value = (torch.cat(v) for v in zip(*picked))
    place = ((1 - overlaps(boxes[i, cell], truth, generalized=True)) * value).sum() / total
    return quality + BOX_WEIGHT * place, {"quality": quality.item(), "place": place.item()}
