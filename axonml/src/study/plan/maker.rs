//! Cases of fibers: their fields, lengths and durations.

use std::sync::Arc;

use axonml_core::error::short;
use axonml_core::{Field, SampledPotentials, TimeGrid, Waveform};
use axonml_models::{Detection, Extents, Fiber, FiberExtent, FiberLength, Model};

use super::layout::Layout;
use super::place::{Place, basis_row};
use super::placement::{Placed, Shift};
use super::stimulus::{Reach, WaveformGrid, Waveforms, placed_injections};
use super::{Member, PlannedCase, group_name};
use crate::study::StudyError;
use crate::study::batch::of_one;
use crate::study::case::{Case, CaseInjections, CaseSource};
use crate::study::listener::Listener;
use crate::study::report::{Cell, counted};
use crate::study::setup::Setup;
use crate::study::spec::{FiberGroup, Study};

/// The field that a source acts through.
type ReachedField = (Reach, Arc<dyn Field>);

/// Key of a field: line, distance, shift.
type FieldKey = (usize, usize, u64);

/// Turns fibers into cases.
pub(super) struct Maker<'a> {
    study: &'a Study,
    place: &'a Place,
    waveforms: &'a WaveformGrid,
    injections: CaseInjections,
    detection: Detection,
    /// Fields of the last place, line, distance and shift of which waveforms share.
    fields: (FieldKey, Vec<ReachedField>),
    /// Fibers whose ends are driven although they are as long as their line.
    driven: usize,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        study: &'a Study,
        place: &'a Place,
        waveforms: &'a WaveformGrid,
        injections: CaseInjections,
    ) -> Self {
        Maker {
            study,
            place,
            waveforms,
            injections,
            detection: study.detection.detection(),
            fields: ((0, 0, 0), Vec::new()),
            driven: 0,
        }
    }

    /// Appends the cases of a group: of each fiber at each point of the grid.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn group(
        &mut self,
        places: &[Placed],
        index: usize,
        group: &FiberGroup,
        model: Model,
        setup: &Arc<Setup>,
        layout: &Layout,
        cases: &mut Vec<PlannedCase>,
    ) -> Result<(), StudyError> {
        let mut extents = setup.extents(&model)?;
        let distances = self.place.distances();
        let name = group_name(group, &model);
        let id = model.schema().id;
        for at in places {
            setup.machine.check_canceled()?;
            for distance in 0..distances {
                for (point, waveforms) in self.waveforms.points.iter().enumerate() {
                    let offset_um = self.offset_um(&mut extents, at, group);
                    let case = offset_um.clone().and_then(|offset_um| {
                        let make = (at, distance, offset_um);
                        self.case(make, waveforms, group, model.clone(), setup, &mut extents)
                    });
                    let named = self.name(at);
                    let case = case.map_err(|error| error.at(&named));
                    let nerve = self.place.nerve();
                    let optional = |given: bool, cell: Cell| given.then_some(cell);
                    let nodes = case.as_ref().ok().map(|case| case.fiber.nodes);
                    let settings = [
                        optional(layout.groups, Cell::Text(name.clone())),
                        Some(Cell::Text(
                            nerve.map_or(id.to_string(), |nerve| nerve.name().to_owned()),
                        )),
                        optional(layout.in_nerve && layout.groups, Cell::Text(id.to_string())),
                        Some(Cell::integer(at.fiber)),
                        optional(layout.lines, Cell::integer(at.line)),
                        Some(Cell::Number(at.diameter_um)),
                        Some(nodes.map_or(Cell::Missing, Cell::integer)),
                        optional(layout.offsets, Cell::maybe(offset_um.ok())),
                    ];
                    let distance_um = match self.place {
                        Place::Distances(all) => Some(Cell::Number(all[distance])),
                        _ => None,
                    };
                    let of_waveform = waveforms.cells.iter().cloned();
                    let of_waveform = of_waveform.filter(|_| self.place.has_waveforms());
                    let geometry = nerve.and_then(|nerve| nerve.geometry());
                    cases.push(PlannedCase {
                        settings: settings
                            .into_iter()
                            .flatten()
                            .chain(distance_um)
                            .chain(of_waveform)
                            .collect(),
                        name: named,
                        reference_ma: None,
                        member: Member {
                            group: index,
                            group_name: name.clone(),
                            fiber: at.fiber,
                            line: nerve.map(|_| at.line),
                            fascicle: geometry
                                .and_then(|of| of.axon_fascicle.get(at.line).copied()),
                            target: nerve.and_then(|nerve| Some(nerve.target()?[at.line])),
                            diameter_um: at.diameter_um,
                            weight: at.weight,
                            variant: distance * self.waveforms.points.len() + point,
                        },
                        case,
                    });
                }
            }
        }
        Ok(())
    }

    /// Name of a fiber in messages.
    fn name(&self, at: &Placed) -> String {
        let fiber = format!("fiber {}, {} um", at.fiber, at.diameter_um);
        match self.place.nerve() {
            Some(nerve) => format!("nerve {}, {fiber}", nerve.name()),
            None => fiber,
        }
    }

    fn offset_um(
        &self,
        extents: &mut Extents,
        at: &Placed,
        group: &FiberGroup,
    ) -> Result<f64, StudyError> {
        match at.shift {
            Shift::Um(um) => Ok(um),
            Shift::Spacings(parts) => {
                let spacing = extents.spacing_um(at.diameter_um, group.compartment_um);
                Ok(parts * spacing.map_err(of_one)?)
            }
        }
    }

    fn case(
        &mut self,
        (at, distance, offset_um): (&Placed, usize, f64),
        waveforms: &Waveforms,
        group: &FiberGroup,
        model: Model,
        setup: &Arc<Setup>,
        extents: &mut Extents,
    ) -> Result<Case, StudyError> {
        let dt_ms = self.study.numerics.dt_ms();
        let sources = self.sources(at, distance, offset_um, waveforms)?;
        let extent = longest(extents, at, group, &sources)?;
        let tstop_ms = self.tstop_ms(extents, at, &extent, &sources, waveforms)?;
        let grid = TimeGrid::new(dt_ms, tstop_ms)?;
        let mut acting = Vec::new();
        for source in &sources {
            if let CaseSource::Field(_, waveform) = source {
                let first = first_step(waveform, &grid);
                acting.extend(first.map_err(|error| error.at("pulse"))?);
            }
        }
        // Nothing drives them where nothing flows.
        self.driven += usize::from(extent.ends_driven && !acting.is_empty());
        // An injected current that is looked for is the stimulus, too.
        for injection in self.injections.iter().filter(|at| at.amp_na.is_none()) {
            acting.extend(first_step(&injection.waveform, &grid)?);
        }
        let mut detection = self.detection.clone();
        if let Some(onset_ms) = acting.into_iter().min().map(|step| grid.time_ms(step)) {
            self.check_conditioning(onset_ms)?;
            let is_conditioned = !self.study.conditioning.is_empty();
            if is_conditioned && self.study.detection.after_ms.is_none() {
                // What the conditioning current does before the stimulus is no answer to it.
                detection.after_ms = onset_ms;
            }
        }
        Ok(Case {
            model,
            setup: setup.clone(),
            fiber: Fiber {
                diameter_um: at.diameter_um,
                nodes: extent.nodes,
                compartment_um: group.compartment_um,
            },
            length_um: None,
            celsius: setup.celsius,
            dt_ms,
            tstop_ms,
            detection,
            sources,
            source_distance_um: self.place.nearest_um(distance),
            injections: placed_injections(&self.injections, extent.nodes),
        })
    }

    /// How long a fiber is simulated.
    fn tstop_ms(
        &self,
        extents: &mut Extents,
        at: &Placed,
        extent: &FiberExtent,
        sources: &[CaseSource],
        waveforms: &Waveforms,
    ) -> Result<f64, StudyError> {
        let numerics = &self.study.numerics;
        let sites = self.detection.nodes(extent.nodes)?;
        let mut sources = sources.iter();
        if sources.any(|source| matches!(source, CaseSource::SpaceTime { .. })) {
            // As long as the potentials are given for, which is checked with them.
            return Ok(numerics.tstop_ms());
        }
        if let Some(tstop_ms) = numerics.tstop_ms {
            return Ok(tstop_ms);
        }
        let of_pulse = match self.place.has_waveforms() {
            true => waveforms.end_ms(),
            false => Some(0.0),
        };
        let mut injected = self.injections.iter().map(|at| at.waveform.end_ms());
        let end_ms = of_pulse
            .and_then(|of_pulse| injected.try_fold(of_pulse, |last, end| Some(last.max(end?))));
        Ok(extents.tstop_ms(at.diameter_um, extent, &sites, end_ms))
    }

    /// Refuses conditioning currents that do not come before the stimulus.
    fn check_conditioning(&self, onset_ms: f64) -> Result<(), StudyError> {
        if self.study.detection.after_ms.is_some() {
            return Ok(());
        }
        let mut conditioning = self.study.conditioning.iter();
        match conditioning.find(|spec| spec.at_ms >= onset_ms) {
            None => Ok(()),
            Some(spec) => Err(StudyError::request(format!(
                "conditioning: found an onset at {} ms, expected one before the stimulus, which begins at {} ms",
                short(spec.at_ms),
                short(onset_ms)
            ))
            .help("delay the pulse, or let the conditioning current begin earlier")),
        }
    }

    fn sources(
        &mut self,
        at: &Placed,
        distance: usize,
        offset_um: f64,
        waveforms: &Waveforms,
    ) -> Result<Vec<CaseSource>, StudyError> {
        let spec = &self.study.field;
        match self.place {
            Place::Inside => Ok(Vec::new()),
            Place::Basis(array) => {
                let (values, shape) = basis_row(array, at.line);
                if let Some(shape) = shape {
                    return Ok(vec![CaseSource::SpaceTime {
                        ve_mv: Arc::new(values),
                        shape,
                    }]);
                }
                let field = SampledPotentials::new(values)?;
                let field: Arc<dyn Field> = Arc::new(field);
                let sources = waveforms.sources.iter();
                let sources = sources.map(|(_, w)| CaseSource::Field(field.clone(), w.clone()));
                Ok(sources.collect())
            }
            place => {
                // All waveforms at one place share their fields, so that each is sampled and projected once.
                let key = (at.line, distance, offset_um.to_bits());
                if self.fields.0 != key {
                    self.fields = (key, Vec::new());
                }
                let known = &mut self.fields.1;
                let mut sources = Vec::new();
                let parts = waveforms.sources.iter().flat_map(|(reach, waveform)| {
                    let parts = place.parts(*reach).into_iter();
                    parts.map(move |reach| (reach, waveform))
                });
                for (reach, waveform) in parts {
                    let found = known.iter().find(|(of, _)| *of == reach);
                    let field = match found {
                        Some((_, field)) => field.clone(),
                        None => {
                            let field = place.field(at.line, distance, reach, offset_um, spec)?;
                            known.push((reach, field.clone()));
                            field
                        }
                    };
                    sources.push(CaseSource::Field(field, waveform.clone()));
                }
                Ok(sources)
            }
        }
    }

    /// Notes on the extents.
    pub(super) fn tell(&self, listener: &mut dyn Listener) {
        if self.driven > 0 {
            listener.note(format!(
                "the field drives the ends of {} although they are as long as the nerve's lines allow: their thresholds \
                 may be those of the ends",
                counted(self.driven, "fiber")
            ));
        }
    }
}

/// The extent that a fiber needs in all of the fields that act on it.
fn longest(
    extents: &mut Extents,
    at: &Placed,
    group: &FiberGroup,
    sources: &[CaseSource],
) -> Result<FiberExtent, StudyError> {
    let length = group.length().unwrap_or(FiberLength::Default);
    let mut resolve = |field: Option<&dyn Field>| {
        let found = extents.resolve(length, at.diameter_um, group.compartment_um, field);
        found.map_err(of_one)
    };
    let mut fields = sources.iter().filter_map(|source| match source {
        CaseSource::Field(field, _) => Some(&**field),
        CaseSource::SpaceTime { .. } => None,
    });
    let mut longest = resolve(fields.next())?;
    for field in fields {
        let found = resolve(Some(field))?;
        if found.nodes > longest.nodes || found.ends_driven && !longest.ends_driven {
            longest = found;
        }
    }
    Ok(longest)
}

/// The first step in which a waveform is not 0, if there is one.
fn first_step(waveform: &Waveform, grid: &TimeGrid) -> Result<Option<usize>, StudyError> {
    let sampled = waveform.sample(grid)?;
    Ok(sampled.iter().position(|x| *x != 0.0))
}
