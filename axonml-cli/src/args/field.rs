//! Where the current flows: point sources, nerves in cuffs, potentials at the sample points.

use std::path::PathBuf;
use std::str::FromStr;

use axonml::Medium;
use axonml::field::{Extension, Interpolation};
use axonml::study::Offset;
use axonml::table::conditions::RESISTIVITY_OHM_CM;
use clap::Args;

use super::number::{Numbers, Positives, finite};
use crate::input::Input;

/// Flags of the field.
#[derive(Debug, Args)]
#[command(next_help_heading = "Field (one of --point, --nerve, --basis)")]
pub(crate) struct FieldArgs {
    /// Point electrode, um; the fiber lies along z (repeatable)
    #[arg(long, value_name = "X,Y,Z[,FACTOR]", allow_hyphen_values = true, conflicts_with_all = ["nerve", "basis"])]
    pub(crate) point: Vec<Point>,
    /// Point electrode over the middle node, distance in um: a list makes a grid
    #[arg(long, value_name = "UM", allow_hyphen_values = true, conflicts_with_all = ["point", "nerve", "basis"])]
    pub(crate) distance: Option<Positives>,
    /// Around points, ohm-cm: one, or across,along [default: 500]
    #[arg(long, value_name = "RHO|RT,RL", allow_hyphen_values = true)]
    pub(crate) resistivity: Option<Resistivity>,
    /// Nerve folder: mV per mA along fibers (help nerve-folders)
    #[arg(long, value_name = "DIR", conflicts_with = "basis")]
    pub(crate) nerve: Option<PathBuf>,
    /// Multiple of the waveform at each contact [default: 1,0,0,...]
    #[arg(long, value_name = "FACTORS", allow_hyphen_values = true)]
    pub(crate) contacts: Option<Numbers>,
    /// mV per unit amplitude: (fibers, [timesteps,] samples)
    #[arg(long, value_name = "FILE.npy")]
    pub(crate) basis: Option<PathBuf>,
    /// Along a nerve's lines: cubic or linear [default: cubic]
    #[arg(long, value_name = "METHOD")]
    pub(crate) interpolation: Option<Interpolation>,
    /// Shift along the field, um, or random (by --seed) [default: 0]
    #[arg(long, value_name = "UM|random", value_parser = offset, allow_hyphen_values = true)]
    pub(crate) offset: Option<Offset>,
    /// Beyond a nerve's lines: refuse or point-source [default: refuse]
    #[arg(long, value_name = "HOW")]
    pub(crate) extend: Option<Extension>,
    /// Accept lines that interpolation may miss by more than 5 %
    #[arg(long)]
    pub(crate) accept_coarse: bool,
}

/// A shift of fibers along the field.
pub(super) fn offset(text: &str) -> Result<Offset, String> {
    match text.trim() {
        "random" => Ok(Offset::Random),
        number => finite("um")(number)
            .map(Offset::Um)
            .map_err(|why| format!("{why}, or `random`")),
    }
}

impl FieldArgs {
    /// The files that the field comes from.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let basis = self.basis.iter().map(|path| Input::of("--basis", path));
        let nerve = self.nerve.iter().flat_map(|folder| {
            let what = format!("--nerve {}", folder.display());
            Input::nerve(&what, folder)
        });
        basis.chain(nerve).collect()
    }

    /// The conductor around point electrodes.
    pub(crate) fn medium(&self) -> Medium {
        let default = Medium::isotropic(RESISTIVITY_OHM_CM);
        self.resistivity
            .as_ref()
            .map_or(default, |resistivity| resistivity.0)
    }
}

/// A point electrode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Place, um.
    pub(crate) at_um: [f64; 3],
    /// Multiple of the waveform.
    pub(crate) factor: f64,
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.parse::<Numbers>().map(|numbers| numbers.0);
        match numbers.as_deref() {
            Ok(&[x, y, z]) => Ok(Point {
                at_um: [x, y, z],
                factor: 1.0,
            }),
            Ok(&[x, y, z, factor]) => Ok(Point {
                at_um: [x, y, z],
                factor,
            }),
            _ => Err(
                "expected X,Y,Z in um, optionally with a factor, e.g. 1000,0,0 or 1000,0,0,-1"
                    .to_owned(),
            ),
        }
    }
}

/// A resistivity, or one across and one along the fiber.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Resistivity(Medium);

impl FromStr for Resistivity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.parse::<Numbers>().map(|numbers| numbers.0);
        match numbers.as_deref() {
            Ok(&[rho]) if rho > 0.0 => Ok(Resistivity(Medium::isotropic(rho))),
            Ok(&[across, along]) if across > 0.0 && along > 0.0 => {
                Ok(Resistivity(Medium::anisotropic(across, along)))
            }
            _ => Err(
                "expected a number in ohm-cm greater than 0, or two (across,along the fiber)"
                    .to_owned(),
            ),
        }
    }
}
