//! The pictures of the command line: plain data in, an SVG or PNG file out.
//!
//! Each picture is a struct that owns its data and implements [`Picture`]; it lives in a file of its own and lays itself
//! out on a [`scene::Scene`], a list of shapes in pixels. Two writers turn a scene into a file: `svg.rs` as text, `raster.rs`
//! as PNG through plotters. What pictures share is in `theme.rs` (colors, sizes), `font.rs` (widths of text),
//! `axes.rs` (scales, ticks, frames), `legend.rs` (keys, color bars), and `framed.rs` (one frame with its legend and remarks). A new picture is a new file that calls these.
//!
//! Three pictures are made to be filled with other data: [`CurvePlot`] (series of points with markers and fitted lines),
//! [`HeatMap`] (states or numbers over two quantities) and [`RecruitmentPlot`] (step curves of groups). They lay themselves out
//! on the [`Canvas`] they are given; the others have a layout of their own that [`Page`] scales.
//!
//! Nothing here knows the simulator.

mod along;
mod axes;
mod curve;
mod design;
mod error;
mod evaluation;
mod font;
mod format;
mod framed;
mod heat;
mod legend;
mod multiples;
mod nerve;
mod nerve_data;
mod page;
mod raster;
mod recruitment;
mod run;
mod runs;
mod scene;
mod section;
mod set;
mod svg;
mod theme;
mod training;

#[cfg(test)]
mod tests;

use std::path::Path;

pub(crate) use along::Electrode;
pub(crate) use curve::{Axis, CurvePlot, CurveSeries, Fit, Spacing};
pub(crate) use design::{
    ContactCurrent, ConvergencePanel, Course, CurrentsPanel, DesignFigure, DesignPlot, FiberMark,
    FrontPanel, Panel, RecruitedCurve, RecruitedPanel, Role, SectionView, SectionsPanel, Track,
};
pub(crate) use error::PlotError;
pub(crate) use evaluation::{EvaluationPlot, Prediction};
pub(crate) use heat::{Cells, HeatMap};
pub(crate) use multiples::{MultiplesPlot, SmallPanel};
pub(crate) use nerve_data::{
    Contact, ContactShape, Fascicle, FiberThresholds, NervePlot, ThresholdPoint,
};
pub(crate) use page::{Canvas, Page, Size};
pub(crate) use recruitment::{RecruitmentGroup, RecruitmentPlot};
pub(crate) use run::{FiberTrace, ROWS, RunPlot, Strip};
pub(crate) use runs::{RunRow, RunsPlot};
pub(crate) use set::SetPlot;
pub(crate) use svg::escape;
pub(crate) use training::{LogCurve, TrainingPlot};

use scene::Scene;

/// Something that can be drawn into a file.
pub(crate) trait Picture {
    /// Lays the picture out in the room of `canvas`, or in a layout of its own.
    ///
    /// # Errors
    /// [`PlotError::Empty`] when there is nothing to draw, [`PlotError::Shape`] when two lengths disagree.
    fn scene(&self, canvas: Canvas) -> Result<Scene, PlotError>;

    /// The file of the picture in memory.
    ///
    /// # Errors
    /// Whatever [`Picture::scene`] reports, [`PlotError::Size`] and [`PlotError::Draw`].
    fn bytes(&self, format: Format, page: &Page) -> Result<Vec<u8>, PlotError> {
        let scene = page.fitted(self.scene(page.canvas())?);
        match format {
            Format::Svg => {
                let size_mm = page.size.map(|size| (size.width_mm, size.height_mm));
                Ok(svg::document(&scene, size_mm).into_bytes())
            }
            Format::Png => {
                let (scene, dpi) = page.rastered(scene);
                raster::png(&scene, dpi)
            }
        }
    }

    /// Replaces the file at `path` by the picture on `page`, all or nothing; the extension, `.svg` or `.png`, picks the
    /// format.
    ///
    /// # Errors
    /// [`PlotError::Extension`] for any other extension, [`PlotError::Write`] when the file cannot be written, and
    /// whatever [`Picture::bytes`] reports.
    fn save(&self, path: &Path, page: &Page) -> Result<(), PlotError> {
        let bytes = self.bytes(Format::of(path)?, page)?;
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
