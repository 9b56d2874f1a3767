//! Where the current flows: point sources, nerves in cuffs, potentials at the sample points.

use std::path::PathBuf;
use std::str::FromStr;

use axonml::Medium;
use axonml::field::{Extension, Interpolation};
use axonml::nerve::NerveOptions;
use axonml::table::conditions::RESISTIVITY_OHM_CM;
use clap::Args;

use super::number::{Numbers, finite};
use crate::input::Input;

/// Flags of the field.
#[derive(Debug, Args)]
#[command(next_help_heading = "Field (one of --point, --nerve, --basis)")]
pub(crate) struct FieldArgs {
    /// Point electrode at x, y, z in um; the fiber lies along z, its middle node at the origin. FACTOR multiplies the
    /// waveform there [default: 1] (repeatable)
    #[arg(long, value_name = "X,Y,Z[,FACTOR]", allow_hyphen_values = true, conflicts_with_all = ["nerve", "basis"])]
    pub(crate) point: Vec<Point>,
    /// Resistivity around point electrodes, ohm-cm: one number, or across,along the fiber [default: 500]
    #[arg(long, value_name = "RHO|RT,RL", allow_hyphen_values = true)]
    pub(crate) resistivity: Option<Resistivity>,
    /// Nerve folder: 0.npy ... k.npy (mV per mA, one file per contact), fiber_z.npy (um), or in other units that
    /// nerve.json names: "field_units": {"potential": "V", "current": "A", "z": "mm"}
    #[arg(long, value_name = "DIR", conflicts_with = "basis")]
    pub(crate) nerve: Option<PathBuf>,
    /// Multiple of the waveform at each contact of the nerve, e.g. 1,0,-1,0,0,0 [default: 1 on contact 0]
    #[arg(long, value_name = "FACTORS", allow_hyphen_values = true)]
    pub(crate) contacts: Option<Numbers>,
    /// Potentials in mV per unit amplitude at the model's sample points (`axonml models NAME --diameter UM` lists them):
    /// (fibers, samples), or (fibers, timesteps, samples) for a field in space and time, which needs no --pulse
    #[arg(long, value_name = "FILE.npy")]
    pub(crate) basis: Option<PathBuf>,
    /// Interpolation along a nerve's lines: cubic (C2 spline) or linear [default: cubic]
    #[arg(long, value_name = "METHOD")]
    pub(crate) interpolation: Option<Interpolation>,
    /// Shift of the fiber's middle node from the middle of a nerve's lines, um [default: 0]
    #[arg(long, value_name = "UM", value_parser = finite("um"), allow_hyphen_values = true)]
    pub(crate) offset: Option<f64>,
    /// Where a fiber is longer than a nerve's lines: refuse, or point-source (decay like one, fitted at each end; over at
    /// most 10 % of the line)
    /// [default: refuse]
    #[arg(long, value_name = "HOW")]
    pub(crate) extend: Option<Extension>,
    /// Accept a nerve whose lines are sampled too coarsely to be interpolated within 5 % of their peaks
    #[arg(long)]
    pub(crate) accept_coarse: bool,
}

impl FieldArgs {
    /// Whether no field was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.point.is_empty() && self.nerve.is_none() && self.basis.is_none()
    }

    /// The files that the field comes from.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let basis = self.basis.iter().map(|path| Input::of("--basis", path));
        let nerve = self.nerve.iter().flat_map(|folder| {
            let what = format!("--nerve {}", folder.display());
            Input::nerve(&what, folder)
        });
        basis.chain(nerve).collect()
    }

    /// How nerves are read.
    pub(crate) fn nerve_options(&self) -> NerveOptions {
        NerveOptions {
            accept_coarse: self.accept_coarse,
        }
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
