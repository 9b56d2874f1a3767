//! Errors of pictures.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a picture was not made. The text says what was found and how to mend it.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum PlotError {
    /// The extension of the file names no picture format.
    Extension {
        /// The file asked for.
        path: PathBuf,
    },
    /// There is nothing to draw.
    Empty {
        /// The missing items, such as "fibers".
        what: &'static str,
    },
    /// Two lengths that belong together differ.
    Shape {
        /// The counted items.
        what: String,
        /// The count that the rest of the data asks for.
        expected: usize,
        /// The count found.
        got: usize,
    },
    /// The file cannot be written.
    Write {
        /// The file asked for.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The bitmap would be too large, or has no pixels.
    Size {
        /// Its width, px.
        width: f64,
        /// Its height, px.
        height: f64,
    },
    /// The bitmap cannot be drawn.
    Draw {
        /// Error of the drawing library.
        detail: String,
    },
}

impl fmt::Display for PlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension { path } => write!(
                f,
                "cannot tell the picture format of `{}`: end the name in .svg or .png",
                path.display()
            ),
            Self::Empty { what } => {
                write!(
                    f,
                    "there are no {what} to plot: leave the plot out, or select at least one of them"
                )
            }
            Self::Shape {
                what,
                expected,
                got,
            } => {
                write!(
                    f,
                    "{what}: found {got} values, expected {expected}; pass arrays that belong to one run"
                )
            }
            Self::Write { path, source } => write!(
                f,
                "cannot write the picture `{}`: {source}; choose a directory that exists and can be written",
                path.display()
            ),
            Self::Size { width, height } => write!(
                f,
                "found a picture of {width} x {height} pixels, expected 1 to 100 million pixels; choose another --size or \
                 --dpi, or an .svg file"
            ),
            Self::Draw { detail } => {
                write!(
                    f,
                    "cannot draw the picture as PNG: {detail}; an .svg file needs no drawing library"
                )
            }
        }
    }
}

impl std::error::Error for PlotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { source, .. } => Some(source),
            _ => None,
        }
    }
}
