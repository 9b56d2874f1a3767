//! From flags to studies: every flag has its key.

use axonml::Medium;
use axonml::simulation::RateEvaluation;
use axonml::study::{
    BlockProtocol, ConditioningSpec, ConditionsSpec, DetectionSpec, Diameters, FiberGroup,
    FieldSpec, InjectionSpec, NumericsSpec, Offset, OutputSpec, PointSpec, PrecisionSpec, Protocol,
    RatesSpec, RecordSpec, Resistivity, RunProtocol, SearchSpec, SourceSpec, StartSpec, Study,
    ThresholdProtocol,
};

use super::detection::EndExcitation;
use super::fiber::{Ends, Start};
use super::numerics::Rates;
use super::{
    ConditionArgs, DetectionArgs, EvaluateArgs, FiberArgs, FieldArgs, InjectionArgs, ModelArgs,
    NumericsArgs, QuestionArgs, RunArgs, SearchArgs, ThresholdArgs, WaveformArgs,
};
use crate::error::CliError;

/// The fibers of the flags; none where no flag says anything about them.
pub(super) fn fibers(
    model: &ModelArgs,
    fiber: &FiberArgs,
    offset: Option<&Offset>,
) -> Result<Vec<FiberGroup>, CliError> {
    fiber.check()?;
    let group = FiberGroup {
        model: model.model.clone(),
        weights: model.weights.clone(),
        temperature_celsius: model.temperature,
        start: fiber.start.map(|start| match start {
            Start::Published => StartSpec::Published,
            Start::SteadyState => StartSpec::SteadyState,
        }),
        warmup_ms: fiber.warmup,
        ends: fiber.ends.map(|ends| match ends {
            Ends::Active => axonml::simulation::Ends::Active,
            Ends::Passive => axonml::simulation::Ends::Passive,
        }),
        diameter_um: fiber.diameter.as_ref().map(|list| match list.0[..] {
            [one] => Diameters::One(one),
            ref many => Diameters::List(many.to_vec()),
        }),
        nodes: fiber.nodes,
        length_um: fiber.length,
        compartment_um: fiber.delta_z,
        count: fiber.count,
        offset_um: offset.cloned(),
        set: model.parameters(),
        ..FiberGroup::default()
    };
    Ok(match group == FiberGroup::default() {
        true => Vec::new(),
        false => vec![group],
    })
}

fn field(args: &FieldArgs) -> FieldSpec {
    let point = |point: &super::Point| PointSpec {
        x_um: point.at_um[0],
        y_um: point.at_um[1],
        z_um: point.at_um[2],
        factor: point.factor,
    };
    FieldSpec {
        nerve: args.nerve.clone(),
        contacts: args.contacts.as_ref().map(|factors| factors.0.clone()),
        resistivity_ohm_cm: args.resistivity.as_ref().map(|_| match args.medium() {
            Medium::Isotropic { resistivity_ohm_cm } => Resistivity([resistivity_ohm_cm; 2]),
            Medium::Anisotropic {
                transverse_ohm_cm,
                longitudinal_ohm_cm,
            } => Resistivity([transverse_ohm_cm, longitudinal_ohm_cm]),
        }),
        distance_um: args.distance.as_ref().map(|list| list.0.clone().into()),
        basis: args.basis.clone(),
        interpolation: args.interpolation,
        extend: args.extend,
        accept_coarse: args.accept_coarse,
        points: args.point.iter().map(point).collect(),
        ..FieldSpec::default()
    }
}

/// The waveforms: of single contacts or points, or lists of pulses of the whole field.
fn sources(args: &WaveformArgs, field: &FieldArgs) -> Result<Vec<SourceSpec>, CliError> {
    if !args.is_given() {
        return Ok(Vec::new());
    }
    let numbered = args.pulse.iter().filter(|pulse| pulse.number.is_some());
    let whole: Vec<String> = args
        .pulse
        .iter()
        .filter(|pulse| pulse.number.is_none())
        .map(|pulse| pulse.text.clone())
        .collect();
    let polarity = args.polarity.map(Into::into);
    let widths = args.pulse_width.as_ref().map(|list| list.0.clone().into());
    let frequencies = args.frequency.as_ref().map(|list| list.0.clone().into());
    let numbered: Vec<SourceSpec> = numbered
        .map(|pulse| SourceSpec {
            contact: pulse.number.filter(|_| field.nerve.is_some()),
            point: pulse.number.filter(|_| field.nerve.is_none()),
            pulse: Some(vec![pulse.text.clone()].into()),
            polarity,
            ..SourceSpec::default()
        })
        .collect();
    match (numbered.is_empty(), whole.is_empty()) {
        (false, false) => Err(CliError::request(
            "--pulse: found pulses with and without a number, expected all of one kind",
        )
        .help("give every contact or point its pulse, N:PULSE, or one pulse for all")),
        (false, true) if widths.is_some() || frequencies.is_some() => Err(CliError::request(
            "--pulse-width and --frequency have no effect on numbered pulses",
        )
        .help("write pw= and freq= into each pulse, or give a study file")),
        (false, true) => Ok(numbered),
        (true, _) => Ok(vec![SourceSpec {
            pulse: (!whole.is_empty()).then(|| whole.into()),
            polarity,
            pulse_width_ms: widths,
            frequency_khz: frequencies,
            ..SourceSpec::default()
        }]),
    }
}

/// Injected currents; one without amp is what a search looks for, or has the default where nothing is searched.
fn injections(args: &InjectionArgs, default_na: Option<f64>) -> Vec<InjectionSpec> {
    let spec = |at: &super::Injection| InjectionSpec {
        node: Some(at.node),
        at: None,
        amp_na: at.amp_na.or(default_na),
        pw_ms: at.pw_ms,
        delay_ms: at.delay_ms,
    };
    args.inject.iter().map(spec).collect()
}

fn conditioning(args: &InjectionArgs) -> Vec<ConditioningSpec> {
    let spec = |at: &super::Conditioning| ConditioningSpec {
        node: Some(at.0.node),
        at: None,
        amp_na: at.0.amp_na.unwrap_or(InjectionSpec::AMP_NA),
        pw_ms: at.0.pw_ms,
        at_ms: at.0.delay_ms,
    };
    args.conditioning.iter().map(spec).collect()
}

pub(super) fn detection(args: &DetectionArgs) -> DetectionSpec {
    DetectionSpec {
        nodes: args
            .detect_nodes
            .as_ref()
            .map(|nodes| nodes.0.clone().into()),
        at: args.detect_at.as_ref().map(|at| at.0.clone().into()),
        threshold_mv: args.detect_threshold,
        after_ms: args.detect_after,
    }
}

fn search(args: &SearchArgs) -> SearchSpec {
    SearchSpec {
        first_amplitude_ma: args.first_amplitude,
        max_amplitude_ma: args.max_amplitude,
        max_current_na: args.max_current,
        resolution: args.resolution,
        early_end: args.no_early_end.then_some(false),
        extrapolate: None,
        end_excitation: args.end_excitation.map(|how| match how {
            EndExcitation::Report => axonml::study::EndExcitation::Report,
            EndExcitation::Accept => axonml::study::EndExcitation::Accept,
            EndExcitation::Error => axonml::study::EndExcitation::Error,
        }),
    }
}

pub(super) fn numerics(args: &NumericsArgs) -> NumericsSpec {
    NumericsSpec {
        dt_ms: args.dt,
        tstop_ms: args.tstop,
        precision: args.precision.map(|_| PrecisionSpec(args.precision())),
        rates: args.rates.map(|rates| {
            RatesSpec(match rates {
                Rates::Exact => RateEvaluation::Exact,
                Rates::Table => RateEvaluation::Table,
            })
        }),
        backend: args.backend.clone(),
        seed: args.seed,
    }
}

impl QuestionArgs {
    /// The study that the flags mean.
    pub(crate) fn study(&self, protocol: Protocol) -> Result<Study, CliError> {
        let field = field(&self.field);
        Ok(Study {
            fibers: fibers(&self.model, &self.fiber, self.field.offset.as_ref())?,
            sources: sources(&self.waveform, &self.field)?,
            injections: injections(&self.injection, None),
            conditioning: conditioning(&self.injection),
            detection: detection(&self.detection),
            protocol,
            search: search(&self.search),
            numerics: numerics(&self.numerics),
            output: OutputSpec {
                keep_going: self.search.keep_going,
            },
            field,
            ..Study::default()
        })
    }
}

impl EvaluateArgs {
    /// The study whose rows are compared.
    pub(crate) fn study(&self) -> Result<Study, CliError> {
        thresholds(&self.conditions, &self.question)
    }
}

/// Thresholds of a table or of the fibers that the flags mean.
fn thresholds(table: &ConditionArgs, question: &QuestionArgs) -> Result<Study, CliError> {
    let mut study = question.study(Protocol::Threshold(ThresholdProtocol::default()))?;
    study.conditions = table.conditions.as_ref().map(|file| ConditionsSpec {
        file: file.clone(),
        nerves: table.nerves.clone(),
    });
    if study.conditions.is_some() {
        study.injections = injections(&question.injection, None);
    }
    Ok(study)
}

impl ThresholdArgs {
    /// The study that the flags mean.
    pub(crate) fn study(&self) -> Result<Study, CliError> {
        if self.block.block {
            return self.block_study();
        }
        let mut study = thresholds(&self.conditions, &self.question)?;
        study.search.extrapolate = self.extrapolate.then_some(true);
        // Bare, the command runs the demonstration.
        let nothing = !study.field.flows() && study.injections.is_empty();
        study.field.demonstration = nothing && study.conditions.is_none();
        Ok(study)
    }

    /// Thresholds of conduction block.
    fn block_study(&self) -> Result<Study, CliError> {
        let search = &self.question.search;
        let without_effect = [
            ("--no-early-end", search.no_early_end),
            ("--extrapolate", self.extrapolate),
            ("--end-excitation", search.end_excitation.is_some()),
            ("--max-current", search.max_current.is_some()),
        ];
        if let Some((flag, _)) = without_effect.iter().find(|(_, given)| *given) {
            return Err(
                CliError::request(format!("{flag} has no effect on block thresholds"))
                    .help("leave it out"),
            );
        }
        let pulse = self.block.test_pulse.as_ref();
        self.question.study(Protocol::Block(BlockProtocol {
            test_pulse: pulse.map(|pulse| pulse.0.clone()).unwrap_or_default(),
        }))
    }
}

impl RunArgs {
    /// The study that the flags mean; `record` where a recording is to be written.
    pub(crate) fn study(&self, record: bool) -> Result<Study, CliError> {
        let recording = &self.recording;
        let asked = !recording.record.is_empty()
            || recording.every.is_some()
            || recording.record_nodes.is_some();
        if asked && !record {
            return Err(CliError::request(
                "--record, --every and --record-nodes have no effect without a recording",
            )
            .help("add -o FILE.npz, or leave them out"));
        }
        let record = record.then(|| RecordSpec {
            states: recording.record.clone(),
            every: recording.every,
            nodes: recording.record_nodes.as_ref().map(|nodes| nodes.0.clone()),
        });
        Ok(Study {
            fibers: fibers(&self.model, &self.fiber, self.field.offset.as_ref())?,
            field: field(&self.field),
            sources: sources(&self.waveform, &self.field)?,
            injections: injections(&self.injection, Some(InjectionSpec::AMP_NA)),
            conditioning: conditioning(&self.injection),
            detection: detection(&self.detection),
            protocol: Protocol::Run(RunProtocol {
                amplitude_ma: self.amplitude,
                record,
            }),
            numerics: numerics(&self.numerics),
            output: OutputSpec {
                keep_going: self.keep_going,
            },
            ..Study::default()
        })
    }
}
