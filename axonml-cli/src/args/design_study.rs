//! From the flags of `axonml optimize` to a study.

use axonml::study::{
    DeSpec, FieldSpec, GdSpec, LimitsSpec, Method, OptimizeProtocol, Protocol, RobustSpec,
    SearchSpec, StimulusSpec, Study,
};

use super::optimize::{
    CommonArgs, DeArgs, DescentArgs, EvolutionArgs, GdArgs, LimitArgs, ObjectiveArgs, ProofArgs,
    ScanArgs, StimulusArgs, Switch, WantedArgs,
};
use super::study::{detection, fibers, numerics};
use crate::error::CliError;

/// The study of a method without what belongs to its way of searching.
fn study(
    method: Method,
    wanted: &WantedArgs,
    limits: &LimitArgs,
    common: &CommonArgs,
) -> Result<Study, CliError> {
    let mut groups = fibers(&common.model, &common.fiber, wanted.offset.as_ref())?;
    if !wanted.group.is_empty() {
        groups.resize_with(1, Default::default);
        groups.extend(wanted.group.iter().map(|group| group.0.clone()));
    }
    let one = match &wanted.nerve[..] {
        [one] => Some(one.clone()),
        _ => None,
    };
    let nerves = match one {
        Some(_) => Vec::new(),
        None => wanted.nerve.clone(),
    };
    Ok(Study {
        fibers: groups,
        field: FieldSpec {
            // Bare, the command runs the demonstration.
            demonstration: wanted.nerve.is_empty(),
            nerve: one,
            interpolation: wanted.interpolation,
            extend: wanted.extend,
            accept_coarse: wanted.accept_coarse,
            ..FieldSpec::default()
        },
        detection: detection(&common.detection),
        protocol: Protocol::Optimize(OptimizeProtocol {
            method: Some(method),
            target: wanted.target.clone(),
            area_weights: wanted.area_weights.clone(),
            diameter_shares: wanted.diameter_shares.as_ref().map(|list| list.0.clone()),
            recruit: wanted.recruit,
            nerves,
            shared: wanted.shared,
            max_seconds: common.work.max_seconds,
            max_evaluations: common.work.max_evaluations,
            baselines: common.proof.baselines.map(|switch| switch == Switch::On),
            ..OptimizeProtocol::default()
        }),
        limits: limits.spec(),
        robust: common.proof.spec(),
        search: SearchSpec {
            resolution: common.resolution,
            max_amplitude_ma: common.max_amplitude,
            ..SearchSpec::default()
        },
        numerics: numerics(&common.numerics),
        ..Study::default()
    })
}

/// The study with the keys that `--option` sets.
fn with_options(mut study: Study, common: &CommonArgs) -> Result<Study, CliError> {
    for option in &common.work.option {
        study = study
            .with_option(option)
            .map_err(|error| error.at("--option"))?;
    }
    Ok(study)
}

impl ScanArgs {
    /// The study that the flags mean.
    pub(crate) fn study(&self) -> Result<Study, CliError> {
        let mut study = study(Method::Scan, &self.wanted, &self.limits, &self.common)?;
        study.stimulus.waveform = self.waveform.clone();
        with_options(study, &self.common)
    }
}

impl GdArgs {
    /// The study that the flags mean.
    pub(crate) fn study(&self) -> Result<Study, CliError> {
        let mut study = study(Method::Gd, &self.wanted, &self.limits, &self.common)?;
        self.objective.set(&mut study);
        study.stimulus = self.stimulus.spec();
        study.gd = self.descent.spec();
        with_options(study, &self.common)
    }
}

impl DeArgs {
    /// The study that the flags mean.
    pub(crate) fn study(&self) -> Result<Study, CliError> {
        let mut study = study(Method::De, &self.wanted, &self.limits, &self.common)?;
        self.objective.set(&mut study);
        study.stimulus = self.stimulus.spec();
        study.de = self.evolution.spec();
        if let Protocol::Optimize(protocol) = &mut study.protocol {
            let objectives = &self.evolution.objectives;
            protocol.objectives = (!objectives.is_empty()).then(|| objectives.clone());
            protocol.then = self.evolution.then;
        }
        with_options(study, &self.common)
    }
}

impl ObjectiveArgs {
    fn set(&self, study: &mut Study) {
        if let Protocol::Optimize(protocol) = &mut study.protocol {
            protocol.objective = self.objective;
            protocol.penalty = self.penalty.map(|penalty| penalty.0).unwrap_or_default();
        }
    }
}

impl StimulusArgs {
    fn spec(&self) -> StimulusSpec {
        StimulusSpec {
            waveform: self.waveform.clone(),
            vary: (!self.vary.is_empty()).then(|| self.vary.clone().into()),
            window_ms: self.window,
            sample_ms: self.sample_ms,
            expand: self.expand,
            pw_range_ms: self.pw_range,
            ..StimulusSpec::default()
        }
    }
}

impl LimitArgs {
    fn spec(&self) -> LimitsSpec {
        LimitsSpec {
            bound_ma: self.bound,
            bounds: self.bounds.clone(),
            sum_zero: self.sum_zero,
            unbalanced: self.unbalanced,
            charge_max_nc: self.charge_max,
            shannon_k: self.shannon,
            contact_area_cm2: self
                .contact_area
                .as_ref()
                .map(|areas| areas.0.clone().into()),
            compliance_v: self.compliance,
            contact_ohm: self.contact_ohm,
            dac_ma: self.dac,
            max_contacts: self.max_contacts,
            frozen_ma: self
                .frozen
                .as_ref()
                .map(|currents| currents.0.clone())
                .unwrap_or_default(),
        }
    }
}

impl DescentArgs {
    fn spec(&self) -> GdSpec {
        GdSpec {
            steps: self.steps,
            starts: self.starts,
            rule: self.rule,
            lr: self.lr,
            lr_end: self.lr_end,
            clip: self.clip,
            init: self.init.clone(),
            ..GdSpec::default()
        }
    }
}

impl EvolutionArgs {
    fn spec(&self) -> DeSpec {
        DeSpec {
            strategy: self.strategy,
            mutation: self.mutation,
            recombination: self.recombination,
            adaptation: self.adaptation,
            population: self.population,
            generations: self.generations,
            init: self.init.clone(),
            boundary: self.boundary,
            patience: self.patience,
            target_loss: self.target_loss,
        }
    }
}

impl ProofArgs {
    fn spec(&self) -> RobustSpec {
        RobustSpec {
            copies: self.robust,
            in_loop: self.robust_in_loop,
            ..self.perturb.map(|perturb| perturb.0).unwrap_or_default()
        }
    }
}
