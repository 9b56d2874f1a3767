"""The surrogate S-MF in PyTorch AxonML, from a clone of its repository: work to be timed, on one thread.

    python pytorch_smf.py CLONE run f32|f64 STEPS     1000 fibers of 53 nodes, one run of that many steps, no gradient
    python pytorch_smf.py CLONE tbptt f64 CHUNKS      32 fibers of 53 nodes: chunks of 50 steps, all states in the loss,
                                                      derivatives by all parameters
    python pytorch_smf.py CLONE gd f64 STEPS          40 fibers of 101 nodes, 500 time steps: derivatives of the mean square of
                                                      all voltages by a waveform
    python pytorch_smf.py CLONE voltages f64 FILE     runs the fibers of a JSON file and prints, as JSON, the voltages of some
                                                      nodes at the end
"""

import json
import math
import sys

import torch

DT_MS = 0.005


def potentials_mv(diameters_um, nodes, distance_um=1000.0, ohm_cm=500.0):
    """Potential of each node per mA of a point source beside the middle one: (fiber, node)."""
    rows = []
    for d in diameters_um:
        spacing_um = -8.215284 * d * d + 272.4201 * d - 780.2411
        z_um = [(k - (nodes - 1) / 2) * spacing_um for k in range(nodes)]
        rows.append([ohm_cm / (4 * math.pi * math.hypot(z, distance_um) * 1e-4) for z in z_um])
    return torch.tensor(rows)


def pulse(steps):
    """Cathodic, 0.1 ms long from 0.1 ms on."""
    return torch.tensor([-1.0 if 20 <= k < 40 else 0.0 for k in range(steps)])


def diameters_um(fibers):
    return [5.7 + 8.3 * i / fibers for i in range(fibers)]


def fields(fibers, nodes, steps, ma):
    """Diameters (fiber) and potentials (step, fiber, 1, node)."""
    diameters = diameters_um(fibers)
    basis = potentials_mv(diameters, nodes)
    return torch.tensor(diameters), ma * pulse(steps)[:, None, None, None] * basis[None, :, None, :]


def main():
    clone, task, precision, argument = sys.argv[1:]
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64 if precision == "f64" else torch.float32)
    torch.manual_seed(0)
    sys.path.insert(0, clone)
    from axonml.models import SMF
    from axonml.models.callbacks import Active, Recorder

    model = SMF(fp32=precision == "f32")
    if task == "run":
        diameters, ve = fields(1000, 53, int(argument), 0.2)
        model.run(ve, diameters, dt=DT_MS, callbacks=[Active(dt=DT_MS)], reinit=True)
    elif task == "tbptt":
        model.train()
        model.unfreeze()
        fibers, window = 32, 50
        diameters, ve = fields(fibers, 53, window, 0.2)
        recorder, loss = Recorder(), torch.nn.MSELoss()
        target = torch.zeros(window + 1, fibers, 5, 53)
        for chunk in range(int(argument)):
            recorder.reset()
            model.run(ve, diameters, dt=DT_MS, callbacks=[recorder], reinit=chunk == 0)
            loss(recorder.stack(), target).backward()
            model.zero_grad()
    elif task == "gd":
        model.train()
        fibers, nodes, steps = 40, 101, 500
        diameters = torch.tensor(diameters_um(fibers))
        basis = potentials_mv(diameters_um(fibers), nodes)
        waveform = (0.2 * pulse(steps)).requires_grad_()
        recorder = Recorder()
        for _ in range(int(argument)):
            recorder.reset()
            ve = waveform[:, None, None, None] * basis[None, :, None, :]
            model.run(ve, diameters, dt=DT_MS, callbacks=[recorder], reinit=True)
            recorder.stack()[:, :, -1].square().mean().backward()
            waveform.grad = None
    else:
        with open(argument) as file:
            case = json.load(file)
        basis = potentials_mv(case["diameter_um"], case["nodes"])
        ve = case["amplitude_mA"] * pulse(case["steps"])[:, None, None, None] * basis[None, :, None, :]
        model.run(ve, torch.tensor(case["diameter_um"]), dt=DT_MS, reinit=True)
        print(json.dumps(model.state[:, -1].tolist()))


main()
