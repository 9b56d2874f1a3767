"""Thresholds as a layer of PyTorch: where must an electrode lie to reach one fiber at less current than its neighbor?"""

import math

import torch

import pyaxonml as ax
from pyaxonml.torch import Thresholds

fibers = ax.Fibers("mrg", diameter=[10.0, 10.0], nodes=53, y=[200.0, -200.0])
layer = Thresholds(fibers, ax.pulse("monophasic", pw=0.1, delay=0.1), log=True)

place_um = torch.tensor([1000.0, 0.0, 300.0], dtype=torch.float64, requires_grad=True)
descent = torch.optim.Adam([place_um], lr=20.0)
for step in range(25):
    x, y, z = place_um
    distance_um = torch.sqrt((layer.x_um - x) ** 2 + (layer.y_um - y) ** 2 + (layer.z_um - z) ** 2)
    target, other = layer(1e4 * 500.0 / (4 * math.pi * distance_um))  # mV per mA at 500 ohm cm
    loss = target - other
    descent.zero_grad()
    loss.backward()
    descent.step()
    if step % 6 == 0:
        where = ", ".join(f"{um:.0f}" for um in place_um.tolist())
        print(f"step {step:2}: electrode at ({where}) um, {target.exp():.4f} mA against {other.exp():.4f} mA")
