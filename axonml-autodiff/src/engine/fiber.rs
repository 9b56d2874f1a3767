//! Symbolic definition of one patch of membrane by a fiber model.

use crate::engine::{Buffer, Ion, LinearScheme, StateUpdate};
use crate::ir::Expr;

/// The parts of a fiber that can carry a membrane of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SectionKind {
    /// Node of Ranvier.
    Node,
    /// Myelin attachment segment (paranode next to the node).
    Mysa,
    /// Paranodal main segment.
    Flut,
    /// Internodal segment.
    Stin,
    /// Compartment of an unmyelinated fiber.
    Compartment,
    /// First or last node without channels, as some published fibers end.
    PassiveEnd,
}

/// Currents that one ion carries.
#[derive(Clone, Debug)]
struct IonCurrents<'t> {
    ion: &'static str,
    /// Reversal potential and total conductance of what reverses there.
    ohmic: Vec<(Expr<'t>, Expr<'t>)>,
    other: Vec<Expr<'t>>,
}

/// A current that keeps the sum of an ion's currents zero at rest.
#[derive(Clone, Copy, Debug)]
pub struct Balance<'t> {
    /// The ion.
    pub ion: Ion<'t>,
    /// Membrane potential at rest, mV.
    pub v_rest: Expr<'t>,
}

/// Currents and state updates of one membrane patch, built up by a model.
///
/// Currents are densities in mA/cm2, outward positive; conductances are S/cm2 and potentials mV.
#[derive(Clone, Debug, Default)]
pub struct Membrane<'t> {
    ohmic: Vec<(Expr<'t>, Expr<'t>)>,
    currents: Vec<Expr<'t>>,
    ions: Vec<IonCurrents<'t>>,
    balances: Vec<Balance<'t>>,
    states: Vec<(String, StateUpdate<'t>)>,
}

impl<'t> Membrane<'t> {
    /// Creates a membrane without channels.
    pub fn new() -> Self {
        Membrane::default()
    }

    /// Adds the current `conductance * (v - reversal)`: S/cm2 and mV. The implicit solvers take it exactly.
    #[must_use]
    pub fn ohmic(mut self, conductance: Expr<'t>, reversal: Expr<'t>) -> Self {
        self.ohmic.push((conductance, reversal));
        self
    }

    /// Adds any other outward current density, mA/cm2, as an expression of voltage and states; the implicit
    /// solvers linearize it in the voltage by its tangent program.
    #[must_use]
    pub fn current(mut self, density: Expr<'t>) -> Self {
        self.currents.push(density);
        self
    }

    /// Adds the current `conductance * (v - ion.reversal())` and counts it to the ion: S/cm2.
    #[must_use]
    pub fn through(mut self, ion: &Ion<'t>, conductance: Expr<'t>) -> Self {
        let ohmic = &mut self.of_ion(ion.name()).ohmic;
        let reversal = ion.reversal();
        match ohmic.iter_mut().find(|(e, _)| e.id() == reversal.id()) {
            Some((_, total)) => *total = *total + conductance,
            None => ohmic.push((reversal, conductance)),
        }
        self
    }

    /// Adds any other outward current density that the ion carries, mA/cm2: of a pump, an exchanger, or a channel that is
    /// not ohmic. Treated as by [`Membrane::current`].
    #[must_use]
    pub fn carried_by(mut self, ion: &Ion<'t>, density: Expr<'t>) -> Self {
        self.of_ion(ion.name()).other.push(density);
        self
    }

    /// Adds a current of this ion that cancels all its others in the steady state at `v_rest` (mV): a leak
    /// `g (v - ion.reversal())` where `g` is not negative, else a constant. It follows from parameters and temperature
    /// alone.
    #[must_use]
    pub fn balance(mut self, ion: &Ion<'t>, v_rest: Expr<'t>) -> Self {
        self.balances.push(Balance { ion: *ion, v_rest });
        self
    }

    fn of_ion(&mut self, ion: &'static str) -> &mut IonCurrents<'t> {
        let index = self.ions.iter().position(|known| known.ion == ion);
        let index = index.unwrap_or_else(|| {
            self.ions.push(IonCurrents {
                ion,
                ohmic: Vec::new(),
                other: Vec::new(),
            });
            self.ions.len() - 1
        });
        &mut self.ions[index]
    }

    fn state(mut self, name: &str, update: StateUpdate<'t>) -> Self {
        self.states.push((name.to_owned(), update));
        self
    }

    /// Adds a gating variable with opening rate `alpha` and closing rate `beta`, both 1/ms.
    #[must_use]
    pub fn gate(self, name: &str, alpha: Expr<'t>, beta: Expr<'t>) -> Self {
        self.state(name, StateUpdate::AlphaBeta { alpha, beta })
    }

    /// Adds a gating variable with steady state `inf` and time constant `tau` in ms.
    #[must_use]
    pub fn gate_inf_tau(self, name: &str, inf: Expr<'t>, tau: Expr<'t>) -> Self {
        self.state(name, StateUpdate::InfTau { inf, tau })
    }

    /// Adds a state with value `start` at rest and the time derivative `rate` per ms, stepped explicitly.
    #[must_use]
    pub fn ode(self, name: &str, start: Expr<'t>, rate: Expr<'t>) -> Self {
        self.state(name, StateUpdate::Ode { start, rate })
    }

    /// Adds a state with value `start` at rest and the time derivative `gain - loss x`, stepped by `scheme`: per ms and
    /// 1/ms.
    #[must_use]
    pub fn linear(
        self,
        name: &str,
        start: Expr<'t>,
        [gain, loss]: [Expr<'t>; 2],
        scheme: LinearScheme,
    ) -> Self {
        let update = StateUpdate::Linear {
            start,
            gain,
            loss,
            scheme,
        };
        self.state(name, update)
    }

    /// Adds the two states of a buffered ligand, the free concentration and the occupied fraction of sites, with their
    /// values at rest. Both are stepped by backward Euler together.
    #[must_use]
    pub fn buffered(
        self,
        [free, bound]: [&str; 2],
        [free_start, bound_start]: [Expr<'t>; 2],
        buffer: Buffer<'t>,
    ) -> Self {
        let of_free = StateUpdate::Free {
            start: free_start,
            buffer,
        };
        let of_bound = StateUpdate::Bound {
            start: bound_start,
            buffer,
        };
        self.state(free, of_free).state(bound, of_bound)
    }

    /// Adds all that another piece of membrane has.
    #[must_use]
    pub fn with(mut self, other: Membrane<'t>) -> Self {
        self.ohmic.extend(other.ohmic);
        self.currents.extend(other.currents);
        self.balances.extend(other.balances);
        self.states.extend(other.states);
        for currents in other.ions {
            for (reversal, conductance) in currents.ohmic {
                self = self.through(&Ion::new(currents.ion, reversal), conductance);
            }
            self.of_ion(currents.ion).other.extend(currents.other);
        }
        self
    }

    /// The same with every state's name passed through `rename`.
    #[must_use]
    pub fn rename_states(mut self, rename: impl Fn(&str) -> String) -> Self {
        for (name, _) in &mut self.states {
            *name = rename(name);
        }
        self
    }

    /// Returns the state updates by name, in the order in which they were added.
    pub fn states(&self) -> &[(String, StateUpdate<'t>)] {
        &self.states
    }

    /// Takes the balances out, which are to be replaced by the currents that they stand for.
    pub fn take_balances(&mut self) -> Vec<Balance<'t>> {
        std::mem::take(&mut self.balances)
    }

    /// Returns the outward current density of an ion at `u`, mA/cm2, where the membrane potential is `u + v_reference`; 0
    /// if nothing is counted to it.
    pub fn ion_current(&self, ion: &str, u: Expr<'t>, v_reference: Expr<'t>) -> Expr<'t> {
        let of_ion = || self.ions.iter().filter(|currents| currents.ion == ion);
        let ohmic = of_ion().flat_map(|currents| &currents.ohmic);
        let ohmic = ohmic.map(|&(e, g)| g * (u - (e - v_reference)));
        let other = of_ion().flat_map(|currents| currents.other.iter().copied());
        ohmic.chain(other).fold(u.same(0.0), |sum, x| sum + x)
    }

    /// Returns the total conductance `G` (S/cm2) and source `J` (mA/cm2), so that the outward current density is `G u -
    /// J` at and (to first order) around `u`, where the membrane potential is `u + v_reference`.
    pub fn linearized(&self, u: Expr<'t>, v_reference: Expr<'t>) -> (Expr<'t>, Expr<'t>) {
        let zero = u.same(0.0);
        let (mut g, mut j) = (zero, zero);
        for &(conductance, reversal) in &self.ohmic {
            g = g + conductance;
            j = j + conductance * (reversal - v_reference);
        }
        let of_ions = self.ions.iter().flat_map(|currents| &currents.ohmic);
        for &(reversal, conductance) in of_ions {
            g = g + conductance;
            j = j + conductance * (reversal - v_reference);
        }
        let of_ions = self.ions.iter().flat_map(|currents| &currents.other);
        for &current in self.currents.iter().chain(of_ions) {
            let slope = current.derivative(u);
            match slope.as_constant() {
                Some(0.0) => j = j - current,
                _ => {
                    g = g + slope;
                    j = j + (slope * u - current);
                }
            }
        }
        (g, j)
    }
}
