//! `axonml verify`: every model on every backend against the scalar reference.

use axonml::study::{Cell, Table, model_named};
use axonml::verification::{Candidate, Comparison, GRADIENT_KINDS, verify as compare};
use axonml::{Device, MODELS, Model, Precision, SimulationError};
use serde_json::{Map, Value, json};

use crate::args::{Gpu, VerifyArgs};
use crate::error::CliError;
use crate::messages::Messages;
use crate::report::{plain, print, print_json};

/// Runs the comparison; fails if a limit is exceeded, or a GPU was required and none ran.
pub(crate) fn verify(args: &VerifyArgs, messages: Messages) -> Result<(), CliError> {
    let candidates = candidates(args);
    let ran_on_gpu = candidates
        .iter()
        .any(|c| c.backend == "cuda" && c.device.is_ok());
    let comparisons = compare(&models(&args.models)?, &candidates, &mut |text| {
        messages.explain(format_args!("{text}"));
    })?;
    let failed: usize = comparisons
        .iter()
        .map(|c| usize::from(!c.runs_passed()) + usize::from(!c.gradient_passed()))
        .sum();
    let absent: Vec<String> = candidates
        .iter()
        .filter_map(|c| {
            let why = c.device.as_ref().err()?;
            Some(format!("{} {}: {why}", c.backend, c.precision.name()))
        })
        .collect();
    if args.json {
        let results: Vec<Value> = comparisons.iter().map(in_json).collect();
        print_json(
            &json!({"results": results, "did_not_run": absent, "gpu_ran": ran_on_gpu, "failed": failed}),
        )?;
    } else {
        let mut text = tables(&comparisons);
        for line in &absent {
            text.push_str(&format!("DID NOT RUN: {line}\n"));
        }
        if !ran_on_gpu {
            text.push_str("NO GPU RAN: nothing above was computed by a CUDA device\n");
        }
        print(&text)?;
    }
    if failed > 0 {
        return Err(CliError::failure(format!(
            "{failed} comparisons exceed their limits"
        )));
    }
    if args.gpu == Gpu::Require && !ran_on_gpu {
        return Err(CliError::failure("--gpu require: no CUDA device ran")
            .help("see `axonml devices` for the reason"));
    }
    Ok(())
}

fn candidates(args: &VerifyArgs) -> Vec<Candidate> {
    let both = [Precision::F64, Precision::F32];
    let all = |backend, make: fn() -> Result<Device, SimulationError>| {
        both.map(|precision| Candidate::new(backend, precision, make()))
    };
    let mut candidates: Vec<Candidate> = all("cpu", Device::cpu).into_iter().collect();
    if args.gpu != Gpu::Never {
        candidates.extend(all("cuda", || Device::cuda(0)));
    }
    if args.host_kernels {
        candidates.extend(all("host-kernels", Device::host_kernels));
    }
    candidates
}

/// The models named, or all.
fn models(named: &[String]) -> Result<Vec<Model>, CliError> {
    match named {
        [] => Ok(MODELS.to_vec()),
        named => named.iter().map(|id| Ok(model_named(id)?)).collect(),
    }
}

/// Both tables.
fn tables(comparisons: &[Comparison]) -> String {
    let told = |c: &Comparison| {
        [&*c.model, c.backend, c.precision.name()]
            .map(Cell::text)
            .to_vec()
    };
    let verdict = |passed: bool| Cell::text(if passed { "pass" } else { "FAIL" });
    let of_runs = |c: &Comparison| {
        let (step, spike, threshold) = (c.step_eps, c.spike_us, c.threshold_pct);
        let limits = &c.limits;
        let mut row = told(c);
        row.extend([
            Cell::text(format!("{step:.1} (<= {:.0})", limits.step_eps)),
            Cell::text(format!("{spike:.1e} (<= {:.0e})", limits.spike_us)),
            Cell::text(format!("{threshold:.1e} (<= {:.0e})", limits.threshold_pct)),
            verdict(c.runs_passed()),
        ]);
        row
    };
    let of_gradients = |c: &Comparison| {
        let limit = c.limits.gradient;
        let mut row = told(c);
        row.extend(
            c.gradient
                .map(|off| Cell::text(format!("{off:.1e} (<= {limit:.0e})"))),
        );
        row.push(verdict(c.gradient_passed()));
        row
    };
    let table = |columns: &[&str], rows: Vec<Vec<Cell>>| {
        let told = ["model", "backend", "precision"].iter();
        let columns = told.chain(columns).chain(&["verdict"]);
        plain(&Table {
            columns: columns.map(|&name| name.to_owned()).collect(),
            rows,
        })
    };
    let columns = ["step_eps", "spike_shift_us", "threshold_pct"];
    let runs = table(&columns, comparisons.iter().map(of_runs).collect());
    let gradients = table(
        &GRADIENT_KINDS,
        comparisons.iter().map(of_gradients).collect(),
    );
    format!(
        "{runs}gradients, along a direction of each kind, against differences of the reference\n{gradients}"
    )
}

fn in_json(c: &Comparison) -> Value {
    let kinds = GRADIENT_KINDS.iter().zip(c.gradient);
    let of_kinds: Map<String, Value> = kinds
        .map(|(kind, off)| ((*kind).to_owned(), json!(off)))
        .collect();
    let limits = &c.limits;
    json!({
        "model": c.model, "backend": c.backend, "device": c.device,
        "precision": c.precision.name(), "step_eps": c.step_eps, "spike_shift_us": c.spike_us,
        "threshold_pct": c.threshold_pct, "gradient": of_kinds, "passed": c.passed(),
        "limits": {"step_eps": limits.step_eps, "spike_shift_us": limits.spike_us,
                   "threshold_pct": limits.threshold_pct, "gradient": limits.gradient},
    })
}
