//! Ions, concentrations and mechanisms: against steps written out by hand, and what is refused.

use axonml_models::mechanisms::{Balanced, Channel, IonConstants, Mechanism, Mechanisms, Shell};
use axonml_models::{
    Buffer, Device, Fiber, FiberModel, FiberSymbols, Geometry, Ion, LinearScheme, Membrane, Patch,
    Schema, SectionKind, Settings, Simulation, SimulationError, Stimulus,
};

fn cylinder<'t>(fiber: &FiberSymbols<'t>) -> Geometry<'t> {
    Geometry::Unmyelinated(fiber.cylinder())
}

fn schema(id: &'static str) -> Schema {
    Schema::new(id, "of a test")
        .param("passive", "cm", 1.0, "uF/cm2")
        .param("passive", "ra", 100.0, "ohm cm")
        .diameters_um(0.5..=5.0)
        .compartment_um(50.0)
        .start_mv(-60.0)
}

/// A leak, a current that is not ohmic, and a ligand that both carry in, which binds to sites; the ligand outside is lost to
/// a bath, by either scheme. The leak's reversal potential follows the ligand.
pub(crate) struct Ligand(pub(crate) LinearScheme);

const CURRENT: fn(f64) -> f64 = |v| 1e-3 * (0.02 * v).exp();
const REVERSAL: fn(f64) -> f64 = |free| -80.0 + 100.0 * free;

impl FiberModel for Ligand {
    fn schema(&self) -> Schema {
        schema("ligand").states(["free", "bound", "out"])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        cylinder(fiber)
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let [free, bound, out] = x.states(["free", "bound", "out"]);
        let ion = Ion::new("x", -80.0 + 100.0 * free);
        let buffer = Buffer {
            free,
            bound,
            influx: -0.7 * ion.current() + 0.01 * out,
            on: x.number(3.0),
            off: x.number(0.4),
            sites: x.number(0.5),
        };
        let loss = x.number(0.6);
        Membrane::new()
            .through(&ion, x.number(1e-3))
            .carried_by(&ion, 1e-3 * (0.02 * x.v()).exp())
            .buffered(["free", "bound"], [x.number(0.1), x.number(0.3)], buffer)
            .linear(
                "out",
                x.number(2.0),
                [2.0 * ion.current() + 0.8, loss],
                self.0,
            )
    }
}

fn run(model: &dyn FiberModel, settings: &Settings) -> (f64, Vec<f64>) {
    let device = Device::cpu().unwrap();
    let fibers = vec![Fiber::new(1.0, 5)];
    let simulation = Simulation::new(model, fibers, settings, &device).unwrap();
    let outcome = simulation.run(&Stimulus::none(1), 0.0, &[]).unwrap();
    let state = outcome.fibers[0].state.as_ref().unwrap();
    let of_node = |values: &Vec<f64>| values[2];
    (state.v_mv[2], state.states.iter().map(of_node).collect())
}

fn near(found: f64, expected: f64, relative: f64) -> bool {
    (found - expected).abs() <= relative * expected.abs()
}

/// The order of NEURON's fixed step, on a uniform fiber, which is one compartment: current and its slope at the old voltage
/// and concentrations, the voltage, then concentrations by the old current. The pair is solved by Newton's method here.
#[test]
fn concentrations_follow_the_current_before_the_step() {
    let dt = 0.05;
    let settings = Settings {
        dt_ms: dt,
        tstop_ms: 10.0,
        ..Settings::default()
    };
    for scheme in [LinearScheme::Exponential, LinearScheme::BackwardEuler] {
        let (v_found, states) = run(&Ligand(scheme), &settings);
        let (mut v, mut free, mut bound, mut out) = (-60.0_f64, 0.1_f64, 0.3_f64, 2.0_f64);
        for _ in 0..200 {
            let current = 1e-3 * (v - REVERSAL(free)) + CURRENT(v);
            let slope = 1e-3 + 0.02 * CURRENT(v);
            // uF/cm2 over ms are 1e-3 S/cm2.
            let v_new = v - current / (1e-3 / dt + slope);
            let influx = -0.7 * current + 0.01 * out;
            let (mut c, mut o) = (free, bound);
            for _ in 0..50 {
                let binding = 3.0 * c * (1.0 - o) - 0.4 * o;
                let r = [
                    c - free - dt * (influx - 0.5 * binding),
                    o - bound - dt * binding,
                ];
                let (by_c, by_o) = (3.0 * (1.0 - o), -3.0 * c - 0.4);
                let m = [
                    [1.0 + dt * 0.5 * by_c, dt * 0.5 * by_o],
                    [-dt * by_c, 1.0 - dt * by_o],
                ];
                let determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
                c -= (r[0] * m[1][1] - m[0][1] * r[1]) / determinant;
                o -= (m[0][0] * r[1] - m[1][0] * r[0]) / determinant;
            }
            let gain = 2.0 * current + 0.8;
            out = match scheme {
                LinearScheme::Exponential => {
                    let decay = (-0.6 * dt).exp();
                    out * decay + gain / 0.6 * (1.0 - decay)
                }
                _ => (out + dt * gain) / (1.0 + dt * 0.6),
            };
            (v, free, bound) = (v_new, c, o);
        }
        for (found, expected) in [v_found, states[0], states[1], states[2]]
            .into_iter()
            .zip([v, free, bound, out])
        {
            assert!(
                near(found, expected, 1e-12),
                "{scheme:?}: {found} for {expected}"
            );
        }
    }
}

// ---- balance -------------------------------------------------------------------------------------------------------

/// A sodium channel and a current of either sign, balanced at rest.
struct Resting {
    pumped_ma_cm2: f64,
}

const REST_MV: f64 = -60.0;
const SHELL: Shell = Shell {
    inside_mm: 10.0,
    outside_mm: 140.0,
    bath_mm: 140.0,
    thickness_um: 0.03,
    exchange_m_per_s: 1e-7,
};

const GATED: Channel = Channel {
    ion: "na",
    s_cm2: 1e-3,
    gates: &["m"],
    kinetics: |x| {
        let inf = ((x.v() + 40.0) / 10.0).sigmoid();
        let gates = Membrane::new().gate_inf_tau("m", inf, x.number(0.3));
        (x.state("m"), gates)
    },
};

#[derive(Debug)]
struct Constant(f64);

impl Mechanism for Constant {
    fn declare(&self, own: Schema) -> Schema {
        own.param("pump", "i", self.0, "mA/cm2")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        Membrane::new().carried_by(&x.ion("na"), x.param("i"))
    }
}

impl Resting {
    fn mechanisms(&self) -> Mechanisms<'static> {
        let balance = Balanced {
            ions: &["na"],
            v_rest_mv: REST_MV,
        };
        Mechanisms::new()
            .with("na", SHELL)
            .with("nav", GATED)
            .with("pump", Constant(self.pumped_ma_cm2))
            .with("balance", balance)
    }
}

impl FiberModel for Resting {
    fn schema(&self) -> Schema {
        schema("resting").mechanisms(&self.mechanisms())
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        cylinder(fiber)
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        x.mechanisms(&self.mechanisms())
    }
}

/// Conductance and source of a model's membrane at rest.
fn at_rest(model: &dyn FiberModel) -> [f64; 2] {
    let device = Device::cpu().unwrap();
    let settings = Settings::default();
    let simulation = Simulation::new(model, vec![Fiber::new(1.0, 5)], &settings, &device).unwrap();
    let rollout = simulation.rollout(&Stimulus::none(1), &[]).unwrap();
    let states = rollout.rest(0, REST_MV);
    let currents = &rollout.membrane.currents;
    let mut inputs = Vec::new();
    for (constant, input) in rollout
        .constants(&currents.bindings, 0)
        .into_iter()
        .zip(currents.program.inputs())
    {
        let state = rollout
            .membrane
            .states
            .iter()
            .position(|s| *s == input.name);
        let varying = state.map_or(REST_MV - rollout.v_reference_mv, |state| states[state]);
        inputs.push(constant.unwrap_or(varying));
    }
    let outputs = currents.program.eval(&inputs);
    [outputs[0], outputs[1]]
}

#[test]
fn a_balance_is_a_leak_where_its_conductance_is_positive_and_else_a_constant() {
    let thermal_mv = 1e3 * 8.31446261815324 * 310.15 / 96485.33212331;
    let reversal = thermal_mv * (140.0_f64 / 10.0).ln();
    let g = 1e-3 / (1.0 + 2.0_f64.exp());
    // The channel alone lets current in: only a constant current out can balance it.
    let inward = g * (REST_MV - reversal);
    let [conductance, source] = at_rest(&Resting { pumped_ma_cm2: 0.0 });
    assert!(near(conductance, g, 1e-12), "{conductance} {g}");
    // G u - J is the current, and u is 0 at the start.
    assert!(source.abs() <= 1e-15, "{source}");
    // With a pump that brings out more than that, a leak does.
    let pumped_ma_cm2 = -3.0 * inward;
    let [conductance, source] = at_rest(&Resting { pumped_ma_cm2 });
    let leak = -(inward + pumped_ma_cm2) / (REST_MV - reversal);
    assert!(
        leak > 0.0 && near(conductance, g + leak, 1e-12),
        "{conductance} {g} {leak}"
    );
    assert!(source.abs() <= 1e-15, "{source}");
}

/// A fiber balanced at rest stays there, ions and all.
#[test]
fn a_balanced_fiber_stays_at_rest() {
    let settings = Settings {
        dt_ms: 0.05,
        tstop_ms: 20.0,
        ..Settings::default()
    };
    for pumped_ma_cm2 in [0.0, 0.01] {
        let (v, states) = run(&Resting { pumped_ma_cm2 }, &settings);
        assert!((v - REST_MV).abs() <= 1e-9, "{v}");
        assert!(near(states[0], SHELL.inside_mm, 1e-12), "{states:?}");
        assert!(near(states[1], SHELL.outside_mm, 1e-12), "{states:?}");
    }
}

/// A thick axon dilutes what flows in: the first change inside is inversely proportional to the diameter.
#[test]
fn a_membrane_knows_the_diameter_of_its_fiber() {
    let settings = Settings {
        dt_ms: 0.05,
        tstop_ms: 0.05,
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    let fibers = [1.0, 4.0].map(|diameter_um| Fiber::new(diameter_um, 5));
    let model = Resting {
        pumped_ma_cm2: 0.01,
    };
    let settings = Settings {
        parameters: vec![("balance.v_rest".into(), -70.0)],
        ..settings
    };
    let simulation = Simulation::new(&model, fibers.to_vec(), &settings, &device).unwrap();
    let outcome = simulation.run(&Stimulus::none(2), 0.0, &[]).unwrap();
    let [thin, thick] = [0, 1].map(|fiber: usize| {
        let state = outcome.fibers[fiber].state.as_ref().unwrap();
        state.states[0][2] - SHELL.inside_mm
    });
    assert!(
        thin.abs() > 1e-4 && near(thin, 4.0 * thick, 1e-9),
        "{thin} {thick}"
    );
}

/// Frankenhaeuser & Hodgkin 1956: an impulse raises the potassium around a squid axon by 1.6 mM, of which two thirds to
/// four fifths are left after 10 ms.
#[test]
fn a_train_of_action_potentials_accumulates_potassium() {
    let outside_mm = crate::custom_mechanism::potassium_mm().unwrap();
    println!("{outside_mm:?}");
    assert!(
        outside_mm.windows(2).all(|of| of[0] < of[1]),
        "{outside_mm:?}"
    );
    let first = outside_mm[1] - outside_mm[0];
    assert!((0.5..2.5).contains(&first), "{outside_mm:?}");
}

// ---- names ---------------------------------------------------------------------------------------------------------

#[test]
fn states_and_parameters_of_mechanisms_have_their_names() {
    let schema = Resting { pumped_ma_cm2: 0.0 }.schema();
    assert_eq!(schema.states, ["na.inside", "na.outside", "nav.m"]);
    let g = schema
        .parameters
        .iter()
        .find(|p| p.name == "nav.g")
        .unwrap();
    assert_eq!(
        (g.value, g.full_name().as_str()),
        (1e-3, "conductance.nav.g")
    );
}

/// A model with one mechanism.
struct Only<M>(M);

impl<M: Mechanism + Copy> FiberModel for Only<M> {
    fn schema(&self) -> Schema {
        schema("only").mechanisms(&Mechanisms::new().with("only", self.0))
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        cylinder(fiber)
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        x.mechanisms(&Mechanisms::new().with("only", self.0))
    }
}

fn refusal(model: &dyn FiberModel) -> String {
    let device = Device::cpu().unwrap();
    let fibers = vec![Fiber::new(1.0, 5)];
    match Simulation::new(model, fibers, &Settings::default(), &device) {
        Err(SimulationError::Trace(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_that_a_mechanism_does_not_have_are_refused() {
    let unknown_ion = refusal(&Only(GATED));
    assert!(unknown_ion.contains("`na`"), "{unknown_ion}");
    let typing_error = Channel {
        kinetics: |x| (x.state("n"), Membrane::new()),
        ..GATED
    };
    let unknown_state = refusal(&Only(typing_error));
    assert!(unknown_state.contains("`n`"), "{unknown_state}");
}

#[test]
fn constants_are_those_of_codata() {
    let constants = IonConstants::CODATA;
    // k N_A and e N_A, exact since 2019.
    assert!(near(constants.gas, 1.380649e-23 * 6.02214076e23, 1e-15));
    assert!(near(
        constants.faraday,
        1.602176634e-19 * 6.02214076e23,
        1e-15
    ));
}
