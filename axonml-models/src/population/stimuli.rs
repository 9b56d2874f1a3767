//! Several stimuli on one population: other waveforms through the same contacts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use axonml_autodiff::engine::Source;
use axonml_core::CoreError;

use super::Basis;
use crate::SimulationError;
use crate::scaling::Scaling;

impl Basis {
    /// The same fibers and contacts for several stimuli at once, each with its own waveforms: `waveforms[stimulus][contact]`
    /// has a value for every step of the run. Fields are not projected again.
    ///
    /// The fibers of the new basis are those of the first stimulus, then those of the second, and so on, so that one
    /// row of gains of 1 asks for all stimuli. Contacts whose waveforms are equal act as one source, as in
    /// [`Simulation::basis`](crate::Simulation::basis). Currents that are not scaled are those of this basis; of a basis
    /// of several stimuli the fibers of the first are taken.
    ///
    /// # Errors
    /// [`SimulationError::Core`] if there is no stimulus, one has not a waveform for every contact, a waveform has not a
    /// value for every step, or one that is not finite, or a contact is a space-time potential
    /// ([`Stimulus::space_time`](crate::Stimulus::space_time)), which has no waveform.
    ///
    /// # Example
    /// ```
    /// use std::sync::Arc;
    /// use axonml_core::{Medium, PointSource, Waveform};
    /// use axonml_models::{Device, Fiber, Settings, Simulation, Stimulus, ThresholdSearch, model};
    ///
    /// let settings = Settings { tstop_ms: 1.5, ..Settings::default() };
    /// let fibers = vec![Fiber::new(10.0, 21)];
    /// let simulation = Simulation::new(&model("mrg")?, fibers, &settings, &Device::cpu()?)?;
    /// let electrode = PointSource { x_um: 500.0, y_um: 0.0, z_um: 0.0, medium: Medium::isotropic(500.0) };
    /// let contact = Stimulus::uniform(1, Arc::new(electrode), "monophasic".parse()?);
    /// let basis = simulation.basis(&contact)?;
    ///
    /// // The threshold of a pulse of 0.1 ms, and of one of 0.2 ms.
    /// let pulses: Result<Vec<Waveform>, _> =
    ///     ["monophasic:pw=0.1", "monophasic:pw=0.2"].iter().map(|text| text.parse()).collect();
    /// let samples = |pulse: Waveform| Ok(vec![Arc::new(pulse.sample(simulation.grid())?)]);
    /// let waveforms: Result<Vec<_>, axonml_core::CoreError> = pulses?.into_iter().map(samples).collect();
    /// let stimuli = basis.with_waveforms(&waveforms?)?;
    /// let ones = ndarray::Array2::ones((1, 1));
    /// let thresholds =
    ///     stimuli.thresholds(ones.view(), &ThresholdSearch::default(), None, &mut |_| ())?;
    /// let [short, long] = [0, 1].map(|stimulus| thresholds[(0, stimulus)].upper_ma());
    /// assert!(short > long && long.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_waveforms(
        &self,
        waveforms: &[Vec<Arc<Vec<f64>>>],
    ) -> Result<Basis, SimulationError> {
        self.check_waveforms(waveforms)?;
        let fibers = self.whole.fibers.len() / self.stimuli;
        let repeated = (0..waveforms.len()).flat_map(|_| 0..fibers);
        let mut whole = self.whole.select(repeated.clone());
        let mut scalings = Vec::with_capacity(waveforms.len() * fibers);
        let mut bank = Bank::default();
        for (place, (stimulus, fiber)) in (0..waveforms.len())
            .flat_map(|stimulus| (0..fibers).map(move |fiber| (stimulus, fiber)))
            .enumerate()
        {
            let mut sources = (*self.whole.drive.sources[fiber]).clone();
            let mut contacts = waveforms[stimulus].iter();
            for (source, gain) in sources.iter_mut().zip(self.scaling.sources(fiber)) {
                let Source::Separable { waveform, .. } = source else {
                    return Err(is_space_time(fiber).into());
                };
                let given = match gain.is_scaled() {
                    true => contacts.next(),
                    false => Some(&self.whole.drive.waveforms[*waveform]),
                };
                let Some(given) = given else {
                    unreachable!("each stimulus was checked to have a waveform for every contact")
                };
                *waveform = bank.index(given);
            }
            whole.drive.sources[place] = Arc::new(sources);
            scalings.push(self.scaling.sources(fiber).to_vec());
        }
        whole.drive.waveforms = bank.waveforms;
        Ok(Basis {
            simulation: self.simulation.select(repeated),
            whole,
            scaling: Scaling::new(scalings),
            contacts: self.contacts,
            stimuli: waveforms.len(),
        })
    }

    /// Number of stimuli ([`Basis::with_waveforms`]): 1 of a basis that a simulation made.
    pub fn stimuli(&self) -> usize {
        self.stimuli
    }

    fn check_waveforms(&self, waveforms: &[Vec<Arc<Vec<f64>>>]) -> Result<(), CoreError> {
        let shape = |what: String, expected: String, found: usize| {
            Err(CoreError::Shape {
                what,
                expected,
                found: found.to_string(),
            })
        };
        if waveforms.is_empty() {
            return shape("the stimuli".into(), "one or more".into(), 0);
        }
        let steps = self.whole.grid.steps();
        for (stimulus, of_contacts) in waveforms.iter().enumerate() {
            if of_contacts.len() != self.contacts {
                let expected = format!("{}, one per contact", self.contacts);
                let what = format!("the waveforms of stimulus {stimulus}");
                return shape(what, expected, of_contacts.len());
            }
            for (contact, waveform) in of_contacts.iter().enumerate() {
                let what = format!("the waveform of contact {contact} in stimulus {stimulus}");
                if waveform.len() != steps {
                    return shape(
                        what,
                        format!("{steps} values, one per step"),
                        waveform.len(),
                    );
                }
                if let Some(index) = waveform.iter().position(|value| !value.is_finite()) {
                    return Err(CoreError::NonFinite {
                        what,
                        index,
                        found: waveform[index],
                    });
                }
            }
        }
        Ok(())
    }
}

/// Refuses contacts that have no waveform of their own.
pub(super) fn is_space_time(fiber: usize) -> CoreError {
    CoreError::BadValue {
        what: format!("a contact of fiber {fiber}"),
        found: "a space-time potential".into(),
        expected: "a field times a waveform".into(),
    }
}

/// Waveforms, each once.
#[derive(Default)]
struct Bank {
    waveforms: Vec<Arc<Vec<f64>>>,
    by_pointer: HashMap<*const Vec<f64>, usize>,
    by_values: HashMap<Vec<u64>, usize>,
}

impl Bank {
    fn index(&mut self, waveform: &Arc<Vec<f64>>) -> usize {
        // Waveforms stay alive in the bank's caller, so that pointers to different ones differ.
        let by_pointer = match self.by_pointer.entry(Arc::as_ptr(waveform)) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(new) => new,
        };
        // Adding 0 makes -0 and 0 equal, as they are.
        let bits = waveform.iter().map(|value| (value + 0.0).to_bits());
        let index = *self.by_values.entry(bits.collect()).or_insert_with(|| {
            self.waveforms.push(waveform.clone());
            self.waveforms.len() - 1
        });
        *by_pointer.insert(index)
    }
}
