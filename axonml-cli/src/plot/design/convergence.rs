//! How the starts of an optimization converged.

use super::super::axes::{Axes, Scale, extremes, thin};
use super::super::legend::{Key, Legend};
use super::super::scene::{Area, Point, Scene, Stroke, Text, fit, wrap};
use super::super::theme::{self, GUTTER, Rgb};
use super::{BELOW, Panel};

/// Figures of an optimization over its steps or generations, frames above each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConvergencePanel {
    /// Unit of the horizontal axis, such as "step".
    pub x: String,
    /// Points of all lines of a frame together, at most.
    pub points: usize,
    /// The frames, from the top.
    pub tracks: Vec<Track>,
    /// A remark below the keys, wrapped; empty for none.
    pub note: String,
}

/// A figure over steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    /// The figure, with its unit.
    pub name: String,
    /// Value of the stimulus compared with.
    pub before: Option<f64>,
    /// Whether it is a percentage, or another figure that is at least 0 and often equals it.
    pub is_from_zero: bool,
    /// Whether lines are staircases, as those of the best so far.
    pub is_staircase: bool,
    /// The starts.
    pub courses: Vec<Course>,
}

/// A figure of one start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// Entry of the legend.
    pub label: String,
    /// How it is drawn.
    pub role: Role,
    /// Steps and values; a value that is not finite interrupts the line.
    pub points: Vec<(f64, f64)>,
}

/// How a course is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Thin and gray; all of them share the first one's entry in the legend.
    #[default]
    Other,
    /// The median of many.
    Median,
    /// The one that led to the result.
    Best,
}

/// Space between frames, px.
const BETWEEN: f64 = 26.0;
/// Height of a line of remarks, px.
const NOTE: f64 = 25.0;
/// Positive figures that differ by more than this factor have a logarithmic scale.
const WIDE: f64 = 30.0;

impl Panel for ConvergencePanel {
    fn heading(&self) -> &str {
        "Convergence"
    }

    fn height(&self, width: f64) -> f64 {
        let frame = (0.42 * width).clamp(190.0, 260.0);
        let n = self.tracks.len() as f64;
        self.head(width) + n * frame + (n - 1.0).max(0.0) * BETWEEN + BELOW
    }

    fn draw(&self, scene: &mut Scene, area: Area) {
        let x = area.x + GUTTER;
        let wide = area.w - GUTTER - 24.0;
        let legend = self.legend();
        legend.draw(scene, (x, area.y), wide);
        for (i, line) in wrap(&self.note, theme::NOTE, wide).into_iter().enumerate() {
            let at = (x, area.y + legend.height(wide) + 20.0 + NOTE * i as f64);
            scene.text(Text::new(at, theme::NOTE, line).color(theme::MUTED));
        }
        let top = area.y + self.head(area.w);
        let n = self.tracks.len() as f64;
        let room = area.bottom() - top - BELOW - (n - 1.0).max(0.0) * BETWEEN;
        let height = (room / n.max(1.0)).max(40.0);
        let steps = self.tracks.iter().flat_map(|track| &track.courses);
        let steps = steps.flat_map(|course| course.points.iter().map(|p| p.0));
        let scale = Scale::around(steps, 0.0);
        for (i, track) in self.tracks.iter().enumerate() {
            let y = top + i as f64 * (height + BETWEEN);
            let axes = Axes::new(Area::new(x, y, wide, height), scale, track.scale());
            track.draw(scene, &axes, self.points);
            match i + 1 == self.tracks.len() {
                true => axes.bottom(scene, &self.x),
                false => axes.base(scene),
            }
        }
    }
}

impl ConvergencePanel {
    /// Room for keys and the remark in a panel of `width` px.
    fn head(&self, width: f64) -> f64 {
        let wide = width - GUTTER - 24.0;
        let lines = wrap(&self.note, theme::NOTE, wide).len();
        self.legend().height(wide) + NOTE * lines as f64 + 16.0
    }

    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        let courses = || self.tracks.iter().flat_map(|track| &track.courses);
        for role in [Role::Best, Role::Median, Role::Other] {
            if let Some(first) = courses().find(|course| course.role == role) {
                legend.add(Key::Line(color(role)), first.label.as_str());
            }
        }
        if self.tracks.iter().any(|track| track.before.is_some()) {
            legend.add(Key::Dashed(theme::MUTED), "best montage");
        }
        legend
    }
}

impl Track {
    fn scale(&self) -> Scale {
        let values = self.courses.iter().flat_map(|course| &course.points);
        let values = || values.clone().map(|p| p.1).chain(self.before);
        if self.is_from_zero {
            let finite = values().filter(|v| v.is_finite());
            let most = finite.fold(0.0, f64::max);
            return Scale::linear(0.0, if most > 0.0 { 1.08 * most } else { 1.0 });
        }
        match extremes(values()) {
            Some((lo, hi)) if lo > 0.0 && hi > WIDE * lo => {
                Scale::log_around(values(), 0.02).unwrap_or_else(|| Scale::around(values(), 0.06))
            }
            _ => Scale::around(values(), 0.06),
        }
    }

    fn draw(&self, scene: &mut Scene, axes: &Axes, points: usize) {
        axes.grid(scene, false);
        if let Some(before) = self.before.filter(|v| v.is_finite()) {
            let y = axes.py(before);
            let line = [(axes.area.x, y), (axes.area.right(), y)];
            scene.dashed(&line, Stroke::new(theme::MUTED, 2.0), 7.0, 5.0);
        }
        let mut order: Vec<&Course> = self.courses.iter().collect();
        order.sort_by_key(|course| course.role);
        for course in order {
            let width = if course.role == Role::Best { 3.4 } else { 1.6 };
            let columns = (points / (4 * self.courses.len())).clamp(1, axes.area.w as usize);
            let points = thin(&self.corners(axes, course), columns);
            scene.line(&points, Stroke::new(color(course.role), width));
            if let [only] = course.points[..] {
                scene.circle(axes.at(only.0, only.1), 4.5, Some(color(course.role)), None);
            }
        }
        axes.left(
            scene,
            &fit(&self.name, theme::LABEL, false, axes.area.h + 24.0),
        );
    }

    /// The line of a course: of steps that change nothing only the ends are kept.
    fn corners(&self, axes: &Axes, course: &Course) -> Vec<Point> {
        let mut points: Vec<Point> = Vec::new();
        for &(step, value) in &course.points {
            let shown = value.is_finite() && (!axes.y.log || value > 0.0);
            let at = match shown {
                true => axes.at(step, value),
                false => (f64::NAN, f64::NAN),
            };
            let last = points.last().copied();
            if let Some(last) = last.filter(|last| self.is_staircase && last.1.is_finite()) {
                extend(&mut points, (at.0, last.1));
            }
            extend(&mut points, at);
        }
        points
    }
}

/// Adds a point to a line; one that goes on at the same height, or in the same gap, takes the place of the last.
fn extend(points: &mut Vec<Point>, at: Point) {
    let same = |a: Point, b: Point| a.1 == b.1 || (a.1.is_nan() && b.1.is_nan());
    match points[..] {
        [.., last] if last == at => return,
        [.., before, last] if same(before, last) && same(last, at) => {
            points.pop();
        }
        _ => {}
    }
    points.push(at);
}

fn color(role: Role) -> Rgb {
    match role {
        Role::Best => theme::category(0),
        Role::Median => theme::category(4),
        Role::Other => theme::AXIS.mix(theme::PAPER, 0.25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(points: &[(f64, f64)]) -> Track {
        Track {
            is_staircase: true,
            courses: vec![Course {
                points: points.to_vec(),
                ..Course::default()
            }],
            ..Track::default()
        }
    }

    #[test]
    fn staircases_keep_their_corners_only() {
        let track = track(&[(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 2.0), (4.0, 2.0)]);
        let frame = Area::new(0.0, 0.0, 4.0, 2.0);
        let axes = Axes::new(frame, Scale::linear(0.0, 4.0), Scale::linear(0.0, 2.0));
        let corners = track.corners(&axes, &track.courses[0]);
        let expected = [(0.0, 1.0), (3.0, 1.0), (3.0, 0.0), (4.0, 0.0)];
        assert_eq!(corners, expected);
    }

    #[test]
    fn what_is_infinite_interrupts_a_line() {
        let track = track(&[
            (0.0, 1.0),
            (1.0, f64::INFINITY),
            (2.0, f64::NAN),
            (3.0, 1.0),
        ]);
        let axes = Axes::new(
            Area::new(0.0, 0.0, 3.0, 2.0),
            Scale::linear(0.0, 3.0),
            track.scale(),
        );
        let corners = track.corners(&axes, &track.courses[0]);
        let finite: Vec<bool> = corners.iter().map(|p| p.1.is_finite()).collect();
        // The line goes on up to the step that ends it.
        assert_eq!(finite, [true, true, false, false, true]);
    }
}
