"""The interface of PyTorch AxonML against what AxonML gave, and against the surrogate's equations written out."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyaxonml.compat import CompatWarning, NotSupportedError, RunError
from pyaxonml.compat.axonml import SMF, Active, APCount, Axon, Backend, Callback, Raster, Recorder, Sundt
from pyaxonml.errors import InputError

#: Gates and voltages, mV.
PARITY = 1e-9

CASES = [
    "smf_a_pulse_n21",
    "smf_b_biphasic_n21_t1000",
    "smf_c_sine_n53",
    "smf_d_continue_n21",
    "smf_e_reinit_n21",
    "smf_f_intra_n21",
    "smf_g_singular_ic_n21",
    "sundt_a_pulse_n21",
    "sundt_b_sine_n21",
]


def model_of(golden: Any) -> Axon:
    temp = float(golden["temp"])
    return Sundt(dx=float(golden["dx_um"]), temp=temp, fp32=False) if "dx_um" in golden else SMF(temp=temp, fp32=False)


@pytest.mark.parametrize("name", CASES)
def test_states_and_callbacks_are_those_of_pytorch(root: Path, name: str) -> None:
    golden = np.load(root / f"golden/axonml/{name}.npz")
    model = model_of(golden)
    recorder, active, count, raster = Recorder(), Active(), APCount(), Raster()
    late_active = Active(threshold=-20, t_start_check=0.5, node_check=[10])
    late_count = APCount(threshold=-20, t_start_check=0.5, node_check=[10, 3])
    callbacks = [recorder, active, count, raster, late_active, late_count]
    segments = sum(key.startswith("ve") for key in golden.files)
    # On singular points of rates: what AxonML gives where it replaces NaN.
    handled = "_nan" if "states0_nan" in golden else ""
    for at in range(segments):
        intra = golden.get(f"intra{at}")
        model.run(
            golden[f"ve{at}"],
            golden["diameters"],
            ic=golden["ic"] if at == 0 and "ic" in golden else None,
            dt=float(golden["dt"]),
            intra=intra,
            callbacks=callbacks,
            reinit=bool(golden[f"reinit{at}"]),
        )
        rows = recorder.stack().numpy()[:: int(golden["stride"])]
        assert np.abs(rows - golden[f"states{at}{handled}"]).max() < PARITY
        np.testing.assert_array_equal(active.numpy(), golden[f"act{at}{handled}"] == 1)
        np.testing.assert_array_equal(late_active.numpy(), golden[f"act2{at}{handled}"] == 1)
        np.testing.assert_array_equal(count.numpy(), golden[f"cnt{at}{handled}"])
        np.testing.assert_array_equal(late_count.numpy(), golden[f"cnt2{at}{handled}"])
        np.testing.assert_array_equal(raster.numpy(), golden[f"ras{at}{handled}"])


# ---- weights -------------------------------------------------------------------------------------------------------


def state_dict(root: Path) -> dict[str, Any]:
    values = json.loads((root / "golden/pytorch/values.json").read_text(encoding="utf-8"))
    held: dict[str, Any] = values["state_dict_f64.pt"]
    return held


def lin(a: float, b: float, c: float, v: np.ndarray) -> np.ndarray:
    return a * (v + b) / -np.expm1(-(v + b) / c)


def linm(a: float, b: float, c: float, v: np.ndarray) -> np.ndarray:
    return a * -(v + b) / -np.expm1((v + b) / c)


def surrogate(k: dict[str, Any], um: np.ndarray, ve: np.ndarray, dt: float) -> np.ndarray:
    """The surrogate of Hussain, Grill & Pelot 2024, doi:10.1038/s41467-024-51709-8, step by step: all states."""
    node_um, axon_um, spacing_um = (
        (k[f"{of}1"] * um + k[f"{of}2"]) * um + k[f"{of}3"] for of in ("noded", "axond", "deltax")
    )
    cm2 = (np.pi * node_um * 1e-8)[:, None]
    ohm = (k["rhoa"] * spacing_um * 1e-4 / (np.pi * (axon_um / 2 * 1e-4) ** 2))[:, None]
    weights = [(w + w[::-1]) / 2 for w in np.array(k["ssd.weight"])[0]]

    def second(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        padded = np.pad(x, ((0, 0), (1, 1)), mode="reflect")
        return w[0] * padded[:, :-2] + w[1] * padded[:, 1:-1] + w[2] * padded[:, 2:]

    def q10(of: str, a: str = "aq10", bc: int = 1) -> Any:
        return k[f"{a}_{of}"] ** ((37.0 - k[f"bq10_{bc}"]) / k[f"cq10_{bc}"])

    start = (0.0732093, 0.62069505, 0.20260409, 0.04302994, -80.0)
    m, h, p, s, v = (np.full(ve.shape[1:], x) for x in start)
    rows = [np.stack([m, h, p, s, v], axis=1)]
    for now in ve:
        d2 = second(v, weights[0]) + second(now, weights[1])
        rates = {
            "m": (lin(k["amA"], k["amB"], k["amC"], v), linm(k["bmA"], k["bmB"], k["bmC"], v), q10("1")),
            "p": (lin(k["ampA"], k["ampB"], k["ampC"], v), linm(k["bmpA"], k["bmpB"], k["bmpC"], v), q10("1", "pq10")),
            "h": (
                linm(k["ahA"], k["ahB"], k["ahC"], v),
                k["bhA"] / (1 + np.exp(-(v + k["bhB"]) / k["bhC"])),
                q10("2", bc=2),
            ),
            "s": (
                k["asA"] / (np.exp((v - k["vtraub"] + k["asB"]) / k["asC"]) + 1),
                k["bsA"] / (np.exp((v - k["vtraub"] + k["bsB"]) / k["bsC"]) + 1),
                q10("3", bc=3),
            ),
        }
        stepped = []
        for x, (alpha, beta, q) in zip((m, h, p, s), (rates[name] for name in "mhps"), strict=True):
            inf = alpha / (alpha + beta)
            stepped.append(inf - (inf - x) * np.exp(-dt * q * (alpha + beta)))
        m, h, p, s = stepped
        sodium = k["gnabar"] * m**3 * h + k["gnapbar"] * p**3
        ion = sodium * (v - k["ena"]) + k["gkbar"] * s * (v - k["ek"]) + k["gl"] * (v - k["el"])
        v = v + dt / (k["cm"] * cm2) * (d2 / ohm - ion * cm2)
        rows.append(np.stack([m, h, p, s, v], axis=1))
    return np.array(rows)


def stimulus(steps: int = 120) -> tuple[np.ndarray, np.ndarray]:
    um = np.array([5.7, 10.0])
    z = np.arange(21) - 10.0
    ve = np.zeros((steps, 2, 21))
    ve[10:30] = -400 / np.hypot(1.0, z)
    return ve, um


def test_a_state_dict_runs_as_its_equations_do(root: Path) -> None:
    held = state_dict(root)
    ve, um = stimulus()
    recorder = Recorder()
    SMF(fp32=False).load(held).run(ve[:, :, None], um, callbacks=[recorder])
    expected = surrogate(held, um, ve, 0.005)
    assert np.ptp(expected[:, :, 4]) > 20
    assert np.abs(recorder.stack() - expected).max() < PARITY


def test_training_checkpoints_and_wrong_state_dicts(root: Path) -> None:
    held = state_dict(root)
    ve, um = stimulus(20)
    both = [Recorder(), Recorder()]
    for given, recorder in zip((held, {"model_state_dict": held, "index": 3}), both, strict=True):
        SMF(fp32=False).load(given).run(ve[:, :, None], um, callbacks=[recorder])
    np.testing.assert_array_equal(both[0].stack(), both[1].stack())
    with pytest.raises(InputError, match=r"gkbat.*is it `gkbar`"):
        SMF().load({**held, "gkbat": 1.0})
    with pytest.raises(InputError, match="missing in the state dict: gkbar"):
        SMF().load({name: value for name, value in held.items() if name != "gkbar"})
    with pytest.raises(InputError, match=r"ssd\.weight"):
        SMF().load({**held, "ssd.weight": [1.0, -2.0, 1.0]})
    with pytest.raises(InputError, match="cannot read"):
        SMF().load("trained/checkpoint.pt")
    SMF(fp32=False).load(root / "golden/pytorch/state_dict_f64.pt").run(ve[:, :, None], um, callbacks=[both[1]])
    np.testing.assert_array_equal(both[0].stack(), both[1].stack())


def test_the_bundled_weights_are_said_to_be_other_ones() -> None:
    with pytest.warns(CompatWarning, match="not those that AxonML ships"):
        model = SMF().load("MRG")
    count = APCount()
    ve, um = stimulus(400)
    model.run(0.0 * ve[:, :, None], um, callbacks=[count])
    # Untrained, fibers fire by themselves.
    assert not count.numpy().any()
    model.run(0.4 * ve[:, :, None], um, callbacks=[count], reinit=True)
    assert (count.numpy() == 1).all()


# ---- runs ----------------------------------------------------------------------------------------------------------


def test_going_on_has_the_bits_of_one_run() -> None:
    ve, um = stimulus()
    model, whole, parts = SMF(), Recorder(), Recorder()
    model.run(ve[:, :, None], um, callbacks=[whole])
    model.run(ve[:50, :, None], um, reinit=True)
    model.cache_state()
    model.run(0 * ve[:10, :, None], um)
    model.restore_state()
    model.run(ve[50:, :, None], um, callbacks=[parts])
    np.testing.assert_array_equal(parts.stack(), whole.stack()[50:])
    assert whole.stack().dtype == np.float32
    with pytest.raises(InputError, match=r"\[2, 5, 21\] to go on from, expected \[1, 5, 21\]"):
        model.run(ve[:, :1, None], um[:1])


def test_a_run_begins_with_given_states() -> None:
    ve, um = stimulus()
    model, whole, parts, anew = SMF(fp32=False), Recorder(), Recorder(), Recorder()
    model.run(ve[:, :, None], um, callbacks=[whole])
    rows = whole.stack().numpy()
    np.testing.assert_array_equal(model.state, rows[-1])
    changed = model.state
    assert changed is not None
    changed[:] = 0.0
    np.testing.assert_array_equal(model.state, rows[-1])
    model.run(ve[50:, :, None], um, ic=rows[50], callbacks=[parts])
    np.testing.assert_array_equal(parts.stack(), rows[50:])
    # The initial state spreads over fibers and nodes; reinit goes before ic.
    model.run(ve[:, :, None], um, ic=rows[0, :1, :, :1], callbacks=[parts])
    np.testing.assert_array_equal(parts.stack(), rows)
    model.run(ve[:, :, None], um, ic=rows[50], reinit=True, callbacks=[anew])
    np.testing.assert_array_equal(anew.stack(), rows)


def test_every_fiber_has_currents_of_its_own() -> None:
    ve, um = stimulus(60)
    intra = np.zeros((60, 2, 1, 21))
    intra[5:25, 0, 0, 3] = 2e-6
    intra[5:25, 1, 0, 17] = 1e-6
    both, alone = Recorder(), Recorder()
    SMF(fp32=False).run(0 * ve[:, :, None], um, intra=intra, callbacks=[both])
    for fiber in range(2):
        one = slice(fiber, fiber + 1)
        SMF(fp32=False).run(0 * ve[:, one, None], um[one], intra=intra[:, one], callbacks=[alone])
        np.testing.assert_array_equal(both.stack()[:, one], alone.stack())
        assert np.ptp(alone.stack()[:, 0, 4, [3, 17][fiber]]) > 10


def test_hooks_of_ones_own_and_selections() -> None:
    class Peak(Callback):
        started = 0
        top = -np.inf

        def pre_loop_hook(self, states: np.ndarray) -> None:
            self.started += 1

        def post_step_hook(self, states: np.ndarray) -> None:
            self.top = max(self.top, float(states[:, -1].max()))

    ve, um = stimulus()
    peak, every, some = Peak(), Recorder(), Recorder(node_indices=[0, -1], state_indices=[4])
    SMF(fp32=False).run(ve[:, :, None], um, callbacks=[peak, every, some])
    assert peak.started == 1
    assert peak.top == every.stack()[1:, :, 4].max()
    np.testing.assert_array_equal(some.stack(), every.stack()[:, :, 4:5][..., [0, 20]])


def test_the_step_can_be_set_for_all_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    ve, um = stimulus(40)
    default, given = Recorder(), Recorder()
    SMF().run(ve[:, :, None], um, dt=0.002, callbacks=[given])
    monkeypatch.setattr(Backend, "dt", 0.002)
    SMF().run(ve[:, :, None], um, callbacks=[default])
    np.testing.assert_array_equal(default.stack(), given.stack())
    with pytest.raises(AttributeError):
        Backend.step = 0.002  # type: ignore[attr-defined]


def test_fibers_pickle_with_their_state() -> None:
    ve, um = stimulus()
    model, there, here = SMF(fp32=False), Recorder(), Recorder()
    model.run(ve[:50, :, None], um)
    copy = pickle.loads(pickle.dumps(model))
    copy.run(ve[50:, :, None], um, callbacks=[there])
    model.run(ve[50:, :, None], um, callbacks=[here])
    np.testing.assert_array_equal(there.stack(), here.stack())


def test_parameters_can_be_set_by_name() -> None:
    ve, um = stimulus(50)
    quiet, recorder = SMF(fp32=False), Recorder()
    for name in ("gnabar", "gnapbar", "gkbar", "gl"):
        quiet.set(name, 0.0)
    quiet.run(0 * ve[:, :, None], um, callbacks=[recorder])
    # Without conductances nothing moves the voltage.
    np.testing.assert_array_equal(recorder.stack()[:, :, 4], -80.0)


def test_what_is_not_here_says_so() -> None:
    ve, um = stimulus(10)
    with pytest.raises(InputError, match=r"ic \[fiber, state, node\].*\[2, 5, 21\]"):
        SMF().run(ve[:, :, None], um, ic=np.zeros((2, 4, 21)))
    with pytest.raises(RunError, match="NaN in the state"):
        SMF().run(ve[:, :, None], um, ic=np.full((1, 5, 1), np.nan))
    with pytest.raises(NotSupportedError, match="max_only"):
        Recorder(max_only=True)
    with pytest.raises(NotSupportedError, match="axonml train"):
        SMF().train()
    with pytest.warns(CompatWarning, match="handle_nan"):
        SMF(handle_nan=True)
    for wrong in (ve, ve[:, :, None].repeat(2, axis=2)):
        with pytest.raises(InputError, match=r"\[step, fiber, 1, node\]"):
            SMF().run(wrong, um)
    with pytest.raises(InputError, match="3 diameters"):
        SMF().run(ve[:, :, None], [5.7, 10.0, 12.0])
