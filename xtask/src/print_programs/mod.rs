//! `cargo xtask print-programs`: the membranes of models as Rust, for axonml-cpu to compile.

mod tabulated;
mod text;

use std::path::PathBuf;

use axonml_autodiff::cable::Cable;
use axonml_models::{Device, Fiber, Settings, Simulation, Stimulus, model};
use clap::Args;

use crate::workspace::root;
use text::Printable;

/// Models whose programs are printed. Several may share a program: it stands in the file of the first.
const PRINTED: &[&str] = &["mrg", "two-mode", "smf", "sundt"];

#[derive(Args)]
pub(crate) struct PrintPrograms {
    /// Print the programs of these models to stdout instead of writing those of the bundled ones.
    models: Vec<String>,
}

impl PrintPrograms {
    pub(crate) fn run(&self) -> Result<(), String> {
        if self.models.is_empty() {
            for (name, text) in files(PRINTED)? {
                let path = path(name);
                std::fs::write(&path, text)
                    .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
                println!("{}", path.display());
            }
        } else {
            let names: Vec<&str> = self.models.iter().map(String::as_str).collect();
            for (_, text) in files(&names)? {
                print!("{text}");
            }
        }
        Ok(())
    }
}

fn path(model: &str) -> PathBuf {
    root().join(format!(
        "axonml-cpu/src/printed/{}.rs",
        model.replace('-', "_")
    ))
}

/// The printed programs of models, each program once.
fn files<'n>(names: &[&'n str]) -> Result<Vec<(&'n str, String)>, String> {
    let mut known = Vec::new();
    names
        .iter()
        .map(|name| Ok((*name, file(name, &mut known)?)))
        .collect()
}

/// The programs of a model whose fingerprints are not `known` yet.
fn file(name: &str, known: &mut Vec<u64>) -> Result<String, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let model = model(name).map_err(|e| failed(&e))?;
    let diameters_um = model.schema().diameters_um;
    let diameter_um = 0.5 * (diameters_um.start() + diameters_um.end());
    let device = Device::cpu().map_err(|e| failed(&e))?;
    let simulation = Simulation::new(
        &model,
        vec![Fiber::new(diameter_um, 21)],
        &Settings::default(),
        &device,
    )
    .map_err(|e| failed(&e))?;
    let rollout = simulation
        .rollout(&Stimulus::none(1), &[])
        .map_err(|e| failed(&e))?;
    let membrane = &rollout.membrane;
    let states = membrane.states.len();
    let explicit = matches!(*rollout.fibers[0].cable, Cable::Explicit(_));
    let adjoint = match explicit {
        true => membrane.explicit_adjoint(),
        false => membrane.implicit_adjoint(),
    };
    let mut programs = vec![
        Printable {
            name: "Step",
            description: "One step at the present voltage: new states, conductance and source.",
            program: membrane.step.fused(),
            layout: membrane.step.layout(),
        },
        Printable {
            name: "Adjoint",
            description: "Adjoint of a step, without the cotangents of parameters.",
            program: &adjoint.node_only.program,
            layout: adjoint.node_only.layout(states),
        },
        Printable {
            name: "SummingAdjoint",
            description: "Adjoint of a step, with the cotangents of parameters as sums over nodes.",
            program: &adjoint.node.program,
            layout: adjoint.node.layout(states),
        },
    ];
    let step = tabulated::step(&model, diameter_um, &device).map_err(|e| failed(&e))?;
    programs.push(Printable {
        name: "Rest",
        description: "A step with tables of rates: what is left to compute.",
        program: step.rest.fused(),
        layout: step.rest.layout(),
    });
    // An explicit step computes its currents itself.
    if !explicit {
        programs.insert(
            0,
            Printable {
                name: "Currents",
                description: "Conductance and source of a state.",
                program: membrane.currents.fused(),
                layout: membrane.currents.layout(),
            },
        );
    }
    programs.retain(|printable| {
        let fingerprint = printable.program.fingerprint(&printable.layout);
        let new = !known.contains(&fingerprint);
        known.push(fingerprint);
        new
    });
    text::file(name, &programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model whose membrane changes is printed again.
    #[test]
    fn printed_programs_are_those_of_the_models() {
        for (name, text) in files(PRINTED).unwrap() {
            let printed = std::fs::read_to_string(path(name)).unwrap();
            assert_eq!(printed, text, "{name}: run `cargo xtask print-programs`");
        }
    }
}
