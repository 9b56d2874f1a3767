//! The layout of pictures with one frame: a legend above it, remarks below.

use super::legend::Legend;
use super::page::Canvas;
use super::scene::{Area, Scene, Text, head, wrap};
use super::theme::{self, GUTTER, MARGIN};

/// Height of the frame unless the canvas says otherwise, px.
const HEIGHT: f64 = 620.0;
/// Room below the frame for its axis, px.
const BELOW: f64 = 92.0;
/// Height of a line of remarks, px.
const LINE: f64 = 26.0;

/// Title, legend and remarks around the frame.
pub(super) struct Framed<'p> {
    pub(super) title: &'p str,
    /// Line below the title; wrapped.
    pub(super) subtitle: &'p str,
    pub(super) legend: &'p Legend,
    /// Remarks below; wrapped.
    pub(super) notes: &'p [String],
    /// Room to the right of the frame, px.
    pub(super) right: f64,
}

impl Framed<'_> {
    /// The scene with all of that, and the area that is left for the frame.
    pub(super) fn scene(&self, canvas: Canvas) -> (Scene, Area) {
        let width = canvas.width - 2.0 * MARGIN - GUTTER - self.right;
        let key = head(self.subtitle, canvas.width) + 8.0;
        let top = key + self.legend.height(width) + 20.0;
        let notes = self.notes.iter();
        let notes: Vec<String> = notes
            .flat_map(|note| wrap(note, theme::NOTE, width))
            .collect();
        let below = BELOW + LINE * notes.len() as f64;
        // On a very low canvas the frame keeps some height; the picture is then shrunk as a whole.
        let height = canvas
            .height
            .map_or(HEIGHT, |height| (height - top - below).max(120.0));
        let area = Area::new(MARGIN + GUTTER, top, width, height);
        let mut scene = Scene::new(canvas.width, top + height + below, self.title);
        scene.subtitle(self.subtitle);
        self.legend.draw(&mut scene, (area.x, key), width);
        for (i, note) in notes.iter().enumerate() {
            let at = (area.x, area.bottom() + BELOW + LINE * (i as f64 + 0.2));
            scene.text(Text::new(at, theme::NOTE, note.as_str()).color(theme::MUTED));
        }
        (scene, area)
    }
}
