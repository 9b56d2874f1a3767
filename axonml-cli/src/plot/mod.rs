//! The pictures of the command line: plain data in, an SVG or PNG file out.
//!
//! Each picture is a struct that owns its data and implements [`Picture`]; it lives in a file of its own and lays itself
//! out on a [`scene::Scene`], a list of shapes in pixels. Two writers turn a scene into a file: `svg.rs` as text, `raster.rs`
//! as PNG through plotters. What pictures share is in `theme.rs` (colors, sizes), `font.rs` (widths of text),
//! `axes.rs` (scales, ticks, frames), and `legend.rs` (keys, color bars). A new picture is a new file that calls these.
//!
//! Nothing here knows the simulator.

mod axes;
mod error;
mod evaluation;
mod font;
mod format;
mod legend;
mod nerve;
mod nerve_data;
mod raster;
mod recruitment;
mod run;
mod scene;
mod section;
mod set;
mod svg;
mod theme;
mod thresholds;
mod training;

#[cfg(test)]
mod tests;

use std::path::Path;

pub(crate) use error::PlotError;
pub(crate) use evaluation::{EvaluationPlot, Prediction};
pub(crate) use nerve_data::{
    Contact, ContactShape, Fascicle, FiberThresholds, NervePlot, ThresholdPoint,
};
pub(crate) use run::{FiberTrace, RunPlot, Strip};
pub(crate) use set::SetPlot;
pub(crate) use thresholds::{ThresholdPlot, ThresholdSeries};
pub(crate) use training::{LogCurve, TrainingPlot};

use scene::Scene;

/// Something that can be drawn into a file.
pub(crate) trait Picture {
    /// Lays the picture out.
    ///
    /// # Errors
    /// [`PlotError::Empty`] when there is nothing to draw, [`PlotError::Shape`] when two lengths disagree.
    fn scene(&self) -> Result<Scene, PlotError>;

    /// The file of the picture in memory.
    ///
    /// # Errors
    /// Whatever [`Picture::scene`] reports, and [`PlotError::Draw`].
    fn bytes(&self, format: Format) -> Result<Vec<u8>, PlotError> {
        let scene = self.scene()?;
        match format {
            Format::Svg => Ok(svg::document(&scene).into_bytes()),
            Format::Png => raster::png(&scene),
        }
    }

    /// Replaces the file at `path` by the picture, all or nothing; the extension, `.svg` or `.png`, picks the format.
    ///
    /// # Errors
    /// [`PlotError::Extension`] for any other extension, [`PlotError::Write`] when the file cannot be written, and
    /// whatever [`Picture::bytes`] reports.
    fn save(&self, path: &Path) -> Result<(), PlotError> {
        let bytes = self.bytes(Format::of(path)?)?;
        axonml::file::replace(path, &bytes).map_err(|source| PlotError::Write {
            path: path.to_owned(),
            source,
        })
    }
}

/// The file formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Scalable vector graphics.
    Svg,
    /// Portable network graphics.
    Png,
}

impl Format {
    /// The format that the extension of `path` names, so that a request can be refused before the work is done.
    ///
    /// # Errors
    /// [`PlotError::Extension`] unless the extension is `svg` or `png`, in any case of letters.
    pub(crate) fn of(path: &Path) -> Result<Self, PlotError> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(PlotError::Extension {
                path: path.to_owned(),
            }),
        }
    }
}
